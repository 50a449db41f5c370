"""Erasing one person's data: whose it was, where it is said, and how it goes for good."""
