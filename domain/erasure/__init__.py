"""Erasure: that, and on what ground, the personal data of one person were erased for good. Whose is not repeated."""
