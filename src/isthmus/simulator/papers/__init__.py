"""What is told: every document, by whom and when, errors included."""
