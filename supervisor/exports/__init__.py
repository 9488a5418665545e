"""The console's lists as rows of files."""
