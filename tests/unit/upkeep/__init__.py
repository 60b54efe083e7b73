"""What an operator does to state."""
