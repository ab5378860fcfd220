"""Who acts: firms with lives and habits, and the people behind accounts."""
