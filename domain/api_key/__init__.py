"""The API key: which client asks, and what that client may do. Its secret is known to the client alone."""
