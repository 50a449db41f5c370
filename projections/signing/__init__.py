"""The signer: a process that trusts nothing in the database, and signs only what continues what it signed before."""
