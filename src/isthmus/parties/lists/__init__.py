"""Official lists and own lookouts: read, judged, kept in versions, compared."""
