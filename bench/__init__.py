"""Figures: each is measured beside something else in the same run, and told as a ratio to it."""
