"""Reads of orders that join, sum or annotate."""
