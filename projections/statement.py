"""What is to be written, said before it is: a statement and its parameters."""

from collections.abc import Mapping, Sequence
from typing import Any, LiteralString, NamedTuple

from psycopg import Connection


class Statement(NamedTuple):
    """One SQL statement."""

    sql: bytes | LiteralString
    parameters: Sequence[Any] | Mapping[str, Any]

    def run(self, connection: Connection[Any]) -> None:
        connection.execute(self.sql, self.parameters)
