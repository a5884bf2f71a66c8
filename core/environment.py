"""The environment that a desk runs in; set before Prefect and numpy are first imported."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# One logger tree for the whole desk; Prefect forwards it to the run's page.
LOGGER = "nightjar"

_DEFAULTS = {
    "PREFECT_LOGGING_EXTRA_LOGGERS": LOGGER,
    # Steps are also called outside flows, by tests and notebooks; that is no reason to warn.
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    # The first start creates a database, and a busy machine takes its time.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    # A desk that runs offline sends nothing home.
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    # numpy's products of matrices differ in their last bits with the number of threads, so that
    # the same night would not be the same on a machine with other cores.
    "OPENBLAS_NUM_THREADS": "1",
}


def prepare_prefect(home: Path) -> None:
    """Set the defaults of a desk in `home`; whatever a person has set stays.

    Prefect's own database and settings go under `home`, so that one folder holds the desk and a
    Prefect that is used for other work is not touched.
    """
    os.environ.setdefault("PREFECT_HOME", str(home.resolve() / "prefect"))
    for key, value in _DEFAULTS.items():
        os.environ.setdefault(key, value)


def prefer_running_server(home: Path) -> None:
    """Report to the server that `nightjar up` started, where it says that there is one."""
    address = server_address(home)
    if "PREFECT_API_URL" not in os.environ and address.is_file():
        os.environ["PREFECT_API_URL"] = address.read_text().strip()


def server_address(home: Path) -> Path:
    """Return the file in which a running server leaves its API address."""
    return home / "prefect" / "api_url"
