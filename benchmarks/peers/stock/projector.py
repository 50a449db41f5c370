"""The library's runner in a process of its own: `python -m benchmarks.peers.stock.projector`."""

import signal
import sys
import threading

from eventsourcing.projection import ProjectionRunner

from benchmarks.peers.stock.domain import Activities
from benchmarks.peers.stock.environment import environment
from benchmarks.peers.stock.view import ActivityProjection, ActivityView


def main() -> int:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with ProjectionRunner(
        application_class=Activities,
        projection_class=ActivityProjection,
        view_class=ActivityView,
        env=environment(),
    ) as runner:
        while not stop.is_set() and not runner.is_interrupted.wait(0.1):
            pass
        if not stop.is_set():
            runner.run_forever()  # raises what ended it
    return 0


if __name__ == "__main__":
    sys.exit(main())
