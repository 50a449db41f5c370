"""Which activities are there? One row an activity: what lists filter and sort by, and the whole of it as JSON."""
