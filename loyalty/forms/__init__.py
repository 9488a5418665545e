"""What people ask of points, as they type it."""
