"""API keys: made, listed and revoked, and recognised at the door."""
