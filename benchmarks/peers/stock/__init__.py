"""The event-sourced service as the library offers it: its Application, its Postgres recorder, its ProjectionRunner."""
