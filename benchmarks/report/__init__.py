"""What came of a run, beside what was wanted of it."""
