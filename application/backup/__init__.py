"""A whole database in one file, and back. The file holds personal data and is readable by its owner alone."""
