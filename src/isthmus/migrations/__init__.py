"""The schema's history: revision scripts, and the code that applies and checks them."""
