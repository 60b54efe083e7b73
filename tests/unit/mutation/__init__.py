"""The notes of the mutation runs."""
