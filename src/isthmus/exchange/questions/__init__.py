"""Blind questions: which of some objects a partner knows, without telling it which."""
