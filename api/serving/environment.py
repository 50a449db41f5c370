"""Every setting as an environment variable, for children who read their settings there."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from application.settings import Settings

_PACKAGES = Path(__file__).parents[2]


def environment_of(settings: Settings, **changed: str | int) -> dict[str, str]:
    """What makes a child read these very settings, but for the changed ones."""
    prefix = settings.model_config["env_prefix"]
    values = {**{name: getattr(settings, name) for name in type(settings).model_fields}, **changed}
    return {f"{prefix}{k}".upper(): _text_of(v) for k, v in values.items() if v is not None}


def module_path(environment: Mapping[str, str]) -> dict[str, str]:
    """Makes `python -m` find these packages, and not some `api` in the directory serve was called from."""
    known = environment.get("PYTHONPATH")
    return {"PYTHONSAFEPATH": "1", "PYTHONPATH": f"{_PACKAGES}:{known}" if known else str(_PACKAGES)}


def _text_of(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return str(value.absolute() if isinstance(value, Path) else value)
