"""Facts to read tables to answers. Never gives orders."""
