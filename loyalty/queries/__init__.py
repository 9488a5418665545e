"""Reads that join, sum or annotate."""
