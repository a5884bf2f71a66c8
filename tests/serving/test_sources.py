"""What a person is shown of the sources."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import nightjar
from commands.console import DONE
from core.datasets import SOURCE_HEALTH
from serving.sources import show_sources, source_lines
from sources.registry import SOURCES
from storage import health
from storage.store import default_store

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
ASIDE = timedelta(hours=2)


def listed(name: str, key: str = "none", *, has_key: bool = False) -> dict[str, Any]:
    setting = None if key == "none" else f"{name}.key"
    return {
        "name": name,
        "summary": "a source",
        "gives": ("prices",),
        "key": key,
        "setting": setting,
        "has_key": has_key,
    }


def noted(provider: str, state: str, at: datetime = NOW, **more: Any) -> dict[str, Any]:
    row = dict.fromkeys(SOURCE_HEALTH.columns)
    counts = {"requests": 5, "failures": 2, "limited": 0, "source": "t", "ingested_at": at}
    return {**row, **counts, "provider": provider, "state": state, "time": at, **more}


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SOURCE_HEALTH.schema)


@pytest.mark.parametrize(
    ("one", "rows", "expected"),
    [
        (listed("kraken"), [], ("none", "not_asked")),
        (listed("moralis", "needed"), [], ("missing", "no_key")),
        (listed("moralis", "needed", has_key=True), [], ("set", "not_asked")),
        (listed("coingecko", "optional"), [noted("coingecko", "up")], ("optional", "up")),
        (
            listed("jupiter"),
            [noted("jupiter", "set_aside", NOW - timedelta(hours=1))],
            ("none", "set_aside"),
        ),
        (
            listed("jupiter"),
            [noted("jupiter", "set_aside", NOW - timedelta(hours=3))],
            ("none", "failing"),
        ),
    ],
)
def test_a_source_s_key_and_state_are_told(
    one: dict[str, Any], rows: list[dict[str, Any]], expected: tuple[str, str]
) -> None:
    (line,) = source_lines([one], frame(*rows), now=NOW, aside=ASIDE)
    assert (line.key, line.state) == expected


def test_what_is_wrong_is_said_below_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    lines = source_lines(
        [listed("moralis", "needed"), listed("okx")],
        frame(noted("okx", "resting", limit_left=0.25, message="okx is unavailable: HTTP 503")),
        now=NOW + timedelta(minutes=3),
        aside=ASIDE,
    )
    show_sources(lines, NOW + timedelta(minutes=3))
    said = capsys.readouterr().out
    assert "moralis needs a key: set moralis.key" in said
    assert "okx is unavailable: HTTP 503" in said
    assert "25 %" in said
    assert "3 min" in said


def test_the_command_lists_every_source_and_no_key_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NIGHTJAR_GLASSNODE__KEY", "canary-of-a-key")
    health.note(
        default_store(),
        [{k: v for k, v in noted("kraken", "up").items() if k not in {"time", "ingested_at"}}],
        now=NOW,
    )
    assert nightjar.run(["sources"]) == DONE
    table = capsys.readouterr().out
    assert nightjar.run(["sources", "--json"]) == DONE
    told = capsys.readouterr().out
    for name in SOURCES:
        assert name in told
    assert '"state": "no_key"' in told
    assert "canary" not in table + told
    assert "twitter needs a key: set twitter.key" in table
