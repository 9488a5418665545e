"""What the console asks of the whole programme."""
