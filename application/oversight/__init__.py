"""Work upon a whole log, put on record in that log: before it begins, and once it has ended."""
