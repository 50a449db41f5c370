"""Connections are kept: whoever sends a command on one that was idle must not find it closed just then."""

import http.client
import time

from service import Service

from api.worker import KEEP_ALIVE

OTHERS_LEAVE_THEIRS_IDLE = 60
"""Seconds, as proxies do unless told otherwise."""
SERVERS_OFTEN_CLOSE_AFTER = 5.0


def test_an_idle_connection_is_kept_for_longer_than_proxies_keep_theirs(service: Service) -> None:
    assert KEEP_ALIVE > OTHERS_LEAVE_THEIRS_IDLE
    connection = http.client.HTTPConnection("127.0.0.1", int(service.url.rpartition(":")[2]), timeout=10)
    connection.request("GET", "/health/live")
    assert connection.getresponse().read()
    kept = connection.sock
    time.sleep(SERVERS_OFTEN_CLOSE_AFTER + 1)
    connection.request("GET", "/health/live")
    assert connection.getresponse().read()
    assert connection.sock is kept, "answered on the same connection"
