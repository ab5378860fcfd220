"""People, companies, vessels and addresses as named parties, and the matching of their names."""
