"""What the API answers, and how it is read off what there is."""
