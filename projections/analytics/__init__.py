"""The schema analysts read: its data dictionary, from the comments in the catalogue."""
