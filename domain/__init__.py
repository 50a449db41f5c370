"""What can happen to an activity and what follows from it. No clock, no network, no database, no framework."""
