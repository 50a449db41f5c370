"""Chaos: writers with logged histories, faults, and a checker that knows what the service promised."""
