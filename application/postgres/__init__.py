"""The database: how to connect, the migrations, and the embedded server."""
