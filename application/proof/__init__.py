"""Proof that a log is what it was: leaves, trees, proofs and checkpoints, all of it arithmetic. No clock, no I/O."""
