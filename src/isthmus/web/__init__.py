"""Pages for people: one file per desk, templates, the words of five languages, own styles."""
