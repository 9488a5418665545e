"""A made-up chain of coffee shops with two years behind it, for whoever looks at Ballada first."""
