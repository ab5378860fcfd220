"""Who is who between nodes: keys, cards, the directory, signatures and what carries them."""
