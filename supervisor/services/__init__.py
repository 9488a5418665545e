"""What the console writes: looks, long work, what needs a second person."""
