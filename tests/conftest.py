"""Fixtures that every room's tests may use."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent

# The same examples on every machine; compiled code makes the first example slow.
settings.register_profile(
    "nightjar",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("nightjar")


@pytest.fixture(autouse=True)
def _no_settings_of_the_person(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test reads the developer's settings or writes to the developer's data."""
    for key in [key for key in os.environ if key.startswith("NIGHTJAR_")]:
        monkeypatch.delenv(key)
    monkeypatch.setenv("NIGHTJAR_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real recordings; skip where it is not beside the checkout."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real recordings are not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def prefect() -> Iterator[None]:
    """Run flows against a Prefect server of the tests' own, for the whole session."""
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings
    from prefect.testing.utilities import prefect_test_harness

    # A heartbeat would make every flow a second longer.
    quiet = temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None})
    with prefect_test_harness(server_startup_timeout=60), quiet:
        yield


@pytest.fixture(scope="session")
def exchange() -> Iterator[str]:
    """Run one sandbox exchange without faults; yield its address."""
    from sources.sandbox.process import running

    with running(seed=1) as url:
        yield url


@pytest.fixture(scope="session")
def _faulty_exchange() -> Iterator[str]:
    from sources.sandbox.process import running

    with running(seed=1) as url:
        yield url


@pytest.fixture
def faulty_exchange(_faulty_exchange: str) -> Iterator[str]:
    """Yield the address of a sandbox exchange whose faults a test may set; none are at first.

    One that was just started would do the same: faults that are set begin at their beginning.
    """
    from sources.sandbox.process import set_faults

    set_faults(_faulty_exchange)
    yield _faulty_exchange
    set_faults(_faulty_exchange)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prefect: None, exchange: str) -> Path:
    """Return the home of an empty desk that collects from the tests' sandbox."""
    home = tmp_path / "home"
    monkeypatch.setenv("NIGHTJAR_HOME", str(home))
    monkeypatch.setenv("NIGHTJAR_SANDBOX_URL", exchange)
    monkeypatch.chdir(tmp_path)
    return home
