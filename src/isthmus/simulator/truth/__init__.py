"""What was so: kept apart from every document."""
