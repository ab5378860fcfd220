"""Message formats: one file, or one family of files, for each."""
