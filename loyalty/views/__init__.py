"""The cabinet's pages about points."""
