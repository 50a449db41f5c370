"""What would the service have answered then? The read tables as of another time, for as long as somebody asks them.

A stream with no fact after a moment reads now as it did then. So the tables of then are those of now, without the
streams that have been touched since, and with these folded anew from the log as far as the moment.
"""
