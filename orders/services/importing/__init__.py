"""Taking over the orders of a file: staged, checked as a whole, then written batch by batch."""
