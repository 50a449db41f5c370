"""`activities serve`: a database, a port, the API's workers, the projector and the audit signer, as one family."""

import os
import socket
import ssl
import sys
from functools import partial
from tempfile import TemporaryDirectory

import psycopg

from api.http.metrics import SHARED as METRICS
from api.http.metrics import forget
from api.serving.database import Database, database_of
from api.serving.environment import environment_of, module_path
from api.serving.errors import CannotServe
from api.serving.listening import VARIABLE as LISTEN_FD
from api.serving.listening import listening, port_of, url_of
from api.serving.readiness import Readiness
from api.serving.stop_signal import StopSignal
from api.serving.supervisor import Child, Supervisor
from application import logs, tracing
from application.event_store import keyring
from application.settings import Settings
from projections.signing.custody import custody_of

WORKER, PROJECTOR, SIGNER = "api.worker", "projections", "projections.signing"


def serve(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT: 0. When it cannot: one line on stderr, and 1."""
    logs.configure("serve", format=settings.log_format, level=settings.log_level)
    try:
        with StopSignal() as stop:
            return _serve(settings, stop)
    except CannotServe as error:
        print(f"activities: {error}", file=sys.stderr, flush=True)
        return 1


def _serve(settings: Settings, stop: StopSignal) -> int:
    with (
        listening(settings.host, settings.port) as listener,
        database_of(settings) as database,
        TemporaryDirectory(prefix="activities-metrics-") as metrics,
    ):
        _refuse_missing(settings)
        _refuse_certificate(settings)
        _make_secrets(settings)
        _recognise_master_key(settings, database.dsn)
        supervisor = Supervisor(_family(settings, listener, database, metrics))
        scheme = "http" if settings.tls_certificate is None else "https"
        readiness = Readiness(
            settings.host,
            port_of(listener),
            announce=lambda: print(f"ready at {url_of(settings.host, listener, scheme)}", flush=True),
            hopeless=supervisor.keeps_dying,
            tls=scheme == "https",
        )
        return supervisor.run(stop, chores=(database.keep, readiness))


def _make_secrets(settings: Settings) -> None:
    """Before there are children, who would each fail without them."""
    try:
        settings.pepper()
        settings.encryption_secret()
        custody_of(settings)
        if settings.jwks_url is None:
            settings.secret()
    except OSError as error:
        raise CannotServe(f"{error.filename or settings.data_dir}: {error.strerror or error}") from error
    except ValueError as error:
        raise CannotServe(str(error)) from error


def _recognise_master_key(settings: Settings, dsn: str) -> None:
    """Under another one nothing personal could be read, and what is written could not be read by others."""
    keyring.use(settings)
    with psycopg.connect(dsn) as connection:
        known = connection.execute(keyring.FINGERPRINT).fetchone()
    if known is not None and known[0] != keyring.RING.fingerprint:
        raise CannotServe(str(keyring.WrongMasterKey()))


def _refuse_missing(settings: Settings) -> None:
    try:
        tracing.refuse_missing(settings.otlp_endpoint)
    except tracing.NotInstalled as error:
        raise CannotServe(str(error)) from None


def _refuse_certificate(settings: Settings) -> None:
    """Before there are workers, who would each fail of it."""
    if settings.tls_certificate is None:
        if settings.tls_key is not None:
            raise CannotServe("there is a TLS key, but no certificate: set ACTIVITIES_TLS_CERTIFICATE")
        return
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key)
    except OSError as error:  # what ssl raises is one, too
        raise CannotServe(f"TLS certificate {settings.tls_certificate}: {error.strerror or error}") from error


def _family(settings: Settings, listener: socket.socket, database: Database, metrics: str) -> list[Child]:
    fd = listener.fileno()
    env = {
        **environment_of(settings, port=port_of(listener), database_url=database.dsn),
        **module_path(os.environ),
    }
    of_workers = {**env, LISTEN_FD: str(fd)} | ({METRICS: metrics} if settings.workers > 1 else {})
    workers = [
        Child(f"worker {number}", _on_a_lifeline(WORKER), of_workers, pass_fds=(fd,), buried=partial(forget, metrics))
        for number in range(1, settings.workers + 1)
    ]
    others = [Child("projector", _on_a_lifeline(PROJECTOR), env), Child("signer", _on_a_lifeline(SIGNER), env)]
    return [*workers, *others]


def _on_a_lifeline(module: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "api.serving.lifeline", module)
