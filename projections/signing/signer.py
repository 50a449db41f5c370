"""The loop of the signer: look at every tree that grew, sign what continues, sound the alarm where it does not."""

import logging
import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import Connection, IsolationLevel

from application.event_store.evidence import Fault
from application.postgres.connections import Role, conninfo
from application.proof.notes import Checkpoint, NotACheckpoint, organization_of
from projections.audit_tree.inspecting import Tampered
from projections.connected import while_wanted
from projections.lease import Deposed, Lease, this_process
from projections.signing import ledger
from projections.signing.continuing import continued, nothing_signed, parted
from projections.signing.custody import Custody
from projections.signing.ledger import Tree
from projections.signing.patrol import Patrol

log = logging.getLogger(__name__)

PATIENCE = 60.0
"""Seconds after which an event must be in its tree: what a receipt promises."""
AGAIN = 15.0
"""Seconds after which a log with an alarm is looked at again, even if it has not changed."""


class Signer:
    """Runs until `stop` is set. Of several, the one with the lease signs."""

    def __init__(
        self, dsn: str, custody: Custody, stop: threading.Event, interval: float, *, patience: float = PATIENCE
    ) -> None:
        self._conninfo = conninfo(dsn, Role.SIGNER)
        self._custody = custody
        self._stop = stop
        self._interval = interval
        self._patience = patience
        self._waits: dict[str, tuple[int, float]] = {}
        self._lease = Lease(this_process(), "signer")
        self._seen: dict[str, Tree] = {}
        self._alarms: dict[str, Fault] = {}
        self._again: dict[str, float] = {}
        self._patrol = Patrol()
        self._signed_once = {organization_of(origin) for origin in custody.origins()}
        self._strange = False

    def run(self) -> None:
        while_wanted(self._conninfo, self._stop, self._work, log)

    def _work(self, connection: Connection[Any]) -> None:
        while not self._stop.is_set():
            if self._lease.hold(connection) is None:
                self._seen.clear()  # whoever signs meanwhile: all is to be looked at again after that
            else:
                self._reign(connection)
            self._stop.wait(self._interval)
        self._lease.release(connection)

    def _reign(self, connection: Connection[Any]) -> None:
        try:
            self.round(connection)
        except Deposed:
            log.warning("another signer took over")
            self._seen.clear()

    def round(self, connection: Connection[Any]) -> None:
        """Look once at every organisation, and say how it all stands."""
        if not ledger.registered(connection, self._custody.name, self._custody.public):
            self._tell_of_another_key()
            return
        found = {tree.organization_id: tree for tree in ledger.trees(connection)}
        lost = self._signed_once - found.keys()
        trees = [*found.values(), *(Tree(one, 0, 0, None) for one in sorted(lost))]
        for tree in trees:
            if self._stop.is_set():
                return
            again, stuck = self._again.get(tree.organization_id, 0.0), self._stuck(tree)
            if self._seen.get(tree.organization_id) != tree or again < time.monotonic() or stuck:
                self._look(connection, tree, stuck)
        self._walk(connection, found)
        unsigned = sum(tree.head - self._signed(tree) for tree in trees)
        ledger.say(connection, unsigned=unsigned, alarms=len(self._alarms))

    def _stuck(self, tree: Tree) -> bool:
        """Whether this signer has seen the tree lack an event for longer than a receipt promises."""
        size, since = self._waits.get(tree.organization_id, (-1, 0.0))
        if tree.size >= tree.head or size != tree.size:
            self._waits[tree.organization_id] = (tree.size, time.monotonic())
            return False
        return time.monotonic() - since > self._patience

    def _look(self, connection: Connection[Any], tree: Tree, stuck: bool) -> None:
        """Sign what continues. Whatever does not is an alarm until it does."""
        organization_id = tree.organization_id
        try:
            self._sign(connection, tree)
            if stuck:
                raise Tampered(organization_id, Fault(tree.size + 1, "is not in the tree: it does not grow"))
        except Tampered as tampered:
            self._sound(connection, tree, tampered.fault)
        except NotACheckpoint as error:
            self._sound(connection, tree, Fault(1, f"cannot be judged, the head kept outside is none: {error}"))
        else:
            if self._alarms.pop(organization_id, None) is not None:
                log.warning("the log of %s is again what was signed", organization_id)
            ledger.all_clear(connection, organization_id)
            self._again[organization_id] = math.inf
        self._seen[organization_id] = tree

    def _walk(self, connection: Connection[Any], trees: dict[str, Tree]) -> None:
        try:
            with self._snapshot() as looking:
                self._patrol.step(looking, trees)
        except Tampered as tampered:
            self._sound(connection, trees[tampered.organization_id], tampered.fault)

    def _sign(self, connection: Connection[Any], tree: Tree) -> None:
        """Sign the tree if it has grown. The head is kept before the checkpoint is shown. Raises Tampered."""
        organization_id = tree.organization_id
        kept = self._custody.head(organization_id) or self._published(connection, organization_id)
        last = kept[0] if kept else nothing_signed(self._custody.verifier(organization_id).origin)
        if tree.head < tree.size:
            gone = Fault(tree.head + 1, f"is gone: the tree has {tree.size}, the log {tree.head}")
            raise Tampered(organization_id, gone)
        with self._snapshot() as looking:
            self._patrol.look_again(looking, organization_id)
            root = continued(looking, organization_id, last, tree.size)
        if tree.size > last.size:
            note = self._custody.sign(organization_id, tree.size, root)
            # This commit waits for the disk, and so for the tiles before it, which the projector does not wait for:
            # no crash of the database can take back what is going to be signed.
            if self._lease.hold(connection) is None:
                raise Deposed
            self._custody.keep(organization_id, note)
            self._signed_once.add(organization_id)
            ledger.publish(connection, organization_id, tree.size, root, note)
        elif kept and ledger.latest(connection, organization_id) != kept[1]:
            ledger.publish(connection, organization_id, last.size, last.root, kept[1])  # signed, and then we died

    def _published(self, connection: Connection[Any], organization_id: str) -> tuple[Checkpoint, str] | None:
        """What we signed according to the database: better than nothing, where our own head was lost."""
        note = ledger.latest(connection, organization_id)
        with suppress(NotACheckpoint):
            return None if note is None else (Checkpoint.read(note, self._custody.verifier(organization_id)), note)
        return None  # of an earlier signer

    @contextmanager
    def _snapshot(self) -> Iterator[Connection[Any]]:
        with psycopg.connect(self._conninfo) as looking:
            looking.isolation_level = IsolationLevel.REPEATABLE_READ
            yield looking

    def _sound(self, connection: Connection[Any], tree: Tree, fault: Fault) -> None:
        organization_id = tree.organization_id
        fault = self._parted(connection, tree) or fault
        self._again[organization_id] = time.monotonic() + AGAIN
        if self._alarms.get(organization_id) != fault:
            log.error("ALARM: the log of %s is not what was signed: %s", organization_id, fault)
        self._alarms[organization_id] = fault
        ledger.alarm(connection, organization_id, fault)

    def _parted(self, connection: Connection[Any], tree: Tree) -> Fault | None:
        """A root says that something is wrong; earlier ones say from where on."""
        key, kept = self._custody.verifier(tree.organization_id), None
        with suppress(NotACheckpoint):
            kept = self._custody.head(tree.organization_id)
        within = [kept[0]] if kept and kept[0].size <= tree.size else []
        return parted(connection, tree.organization_id, key, *within)

    def _signed(self, tree: Tree) -> int:
        """How much of a log is signed, as far as this process has seen."""
        seen = None if tree.organization_id in self._alarms else self._seen.get(tree.organization_id)
        return min(tree.head, seen.size) if seen else 0

    def _tell_of_another_key(self) -> None:
        if not self._strange:
            log.error("another key signs for this database: give this signer its directory, or let it take over")
        self._strange = True


def take_over(dsn: str, custody: Custody) -> None:
    """From now on this directory's key signs. Auditors must be given it: with the old one nothing newer verifies."""
    with psycopg.connect(conninfo(dsn, Role.SIGNER)) as connection:
        ledger.take_over(connection, custody.name, custody.public)
