"""Examples as data: requests as the source documents have them, and what the service says to them."""
