"""What every target holds: the same organisations, records and activities, the same every time but for the dates."""
