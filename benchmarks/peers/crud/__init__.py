"""A fair CRUD service: FastAPI, SQLAlchemy 2 (async, asyncpg), one table, an audit row in the same transaction."""
