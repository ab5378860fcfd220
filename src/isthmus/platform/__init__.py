"""Database, audit, jobs, events, documents, keys, settings, telemetry: not a word of customs."""
