"""What happened to activities, change by change: what an organisation's daily facts are counted from."""
