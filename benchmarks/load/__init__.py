"""Load by `wrk`: requests written down beforehand, sent over so many connections, answered with 2xx or it is a failure."""
