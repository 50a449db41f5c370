"""Defects planted into processes the tests start, to see that the checker finds them; and a clock that jumps.

Nothing of this can be reached from the service itself: these are programs of the tests, which patch what they start.
"""
