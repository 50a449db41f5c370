"""Load by `wrk`: requests written down beforehand, sent over so many connections, and answered with 2xx or failed."""
