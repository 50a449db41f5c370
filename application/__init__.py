"""Use cases: commands in, facts out; the log and the desk that writes it; history."""
