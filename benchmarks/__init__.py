"""The measured comparison: the service beside real peers and beside the ceilings of its own HTTP stack, in one run."""
