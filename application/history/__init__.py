"""What happened, in order: every fact with its circumstances, and the states between them."""
