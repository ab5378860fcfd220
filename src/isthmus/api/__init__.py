"""The JSON API: one file an area; the only place where an error becomes an HTTP answer."""
