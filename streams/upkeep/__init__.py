"""What an operator does to the state of a group whose workers do not run, or looks at beside them."""
