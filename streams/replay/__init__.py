"""The same router over files."""
