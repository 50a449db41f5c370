"""The service refuses to start with a setting under which the library loses events."""

import pytest

from application.event_store.hazards import UnsafeSetting, refuse_unsafe_settings


@pytest.mark.parametrize("value", ["y", "Yes", "TRUE", "1", "on", " t ", "surely"])
@pytest.mark.parametrize("name", ["POSTGRES_ENABLE_DB_FUNCTIONS", "ACTIVITIES_POSTGRES_ENABLE_DB_FUNCTIONS"])
def test_lock_free_inserts_are_refused_under_any_prefix(name: str, value: str) -> None:
    with pytest.raises(UnsafeSetting, match=f"{name}=.* lose events"):
        refuse_unsafe_settings({"PATH": "/bin", name: value})


@pytest.mark.parametrize("value", ["", "n", "no", "False", "0", "off"])
def test_lock_free_inserts_that_are_off_are_no_matter(value: str) -> None:
    refuse_unsafe_settings({"POSTGRES_ENABLE_DB_FUNCTIONS": value})


def test_an_environment_without_the_setting_is_fine() -> None:
    refuse_unsafe_settings({"POSTGRES_DBNAME": "activities"})
