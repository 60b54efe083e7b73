"""Mutation testing of the ladder and the share: README.md."""
