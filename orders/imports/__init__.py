"""Order files as they are written: which column is what, and what stands in a row. No database."""
