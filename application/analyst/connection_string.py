"""What an analyst connects with: where the database is, under her own name."""

from urllib.parse import quote, urlencode

from psycopg.conninfo import conninfo_to_dict

_WHERE = ("host", "hostaddr", "port", "sslmode", "sslrootcert", "target_session_attrs")


def connection_string(dsn: str, dbname: str, role: str, password: str) -> str:
    """A URL for psql and all that speak like it. Of the operator's own it keeps where, never who or how."""
    said = conninfo_to_dict(dsn)
    where = urlencode({name: said[name] for name in _WHERE if name in said}, quote_via=quote, safe="")
    return f"postgresql://{quote(role, safe='')}:{quote(password, safe='')}@/{quote(dbname, safe='')}?{where}"
