"""One `activities serve`: a database, a listening socket, and the family of processes that share them."""
