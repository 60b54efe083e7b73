"""The exactly-once way through Faust: batches of one partition in, one transaction out."""
