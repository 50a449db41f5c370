"""What is asked of the targets, and how each question is measured."""
