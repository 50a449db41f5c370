"""Soak: hours of a working day at 60 % of what the service can do, and whether it is then as it was at the start."""
