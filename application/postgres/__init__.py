"""The database: an embedded PostgreSQL server that looks after itself, and the migrations."""
