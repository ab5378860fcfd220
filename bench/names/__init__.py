"""Names for measuring and making the matcher: lists, names that are on none, and noise."""
