"""The documents say what is: links, commands, settings, records and figures are held against the code."""
