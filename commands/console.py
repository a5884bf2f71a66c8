"""What the commands share: their common options, the exit codes, how they speak."""

from __future__ import annotations

import logging
import os
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from cyclopts import Parameter

from core import settings as settings_of
from core.clock import parse_utc
from core.environment import LOGGER, prefer_running_server, prepare_prefect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.settings import Settings

DONE, FAILED, MISUSED, REFUSED = 0, 1, 2, 3


def _moment(_kind: Any, tokens: Sequence[Any]) -> datetime:
    return parse_utc(tokens[0].value)


def _symbols(_kind: Any, tokens: Sequence[Any]) -> list[str]:
    return [part for token in tokens for part in token.value.split(",") if part]


Moment = Annotated[datetime | None, Parameter(converter=_moment)]
Symbols = Annotated[list[str] | None, Parameter(converter=_symbols, consume_multiple=True)]
Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON for a program.")]
OpenPage = Annotated[
    bool, Parameter(name="--open", negative="", help="Open it as a page in the browser.")
]


def load_settings() -> Settings:
    """Read the settings anew."""
    return settings_of.load()


def open_desk() -> None:
    """Get ready to run a flow: Prefect's environment first, then a voice for the steps."""
    settings = load_settings()
    settings.home.mkdir(parents=True, exist_ok=True)
    prefer_running_server(settings.home)
    prepare_prefect(settings.home)
    # Prefect's own lines and tracebacks are on the run's page; a person reads one sentence.
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    voice = logging.getLogger(LOGGER)
    voice.setLevel(logging.INFO)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s  %(message)s", "%H:%M:%S"))
    voice.addHandler(handler)


def print_json(value: Any) -> None:
    """Print anything for a program; what JSON has no form for, as its text."""
    print(msgspec.json.format(msgspec.json.encode(value, enc_hook=str)).decode())
