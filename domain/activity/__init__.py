"""The activity: facts (events), the state they add up to (activity), and the decisions that make new ones."""
