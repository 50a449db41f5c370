"""The log: facts as stored rows and back, read and appended. The one room that knows the eventsourcing library."""
