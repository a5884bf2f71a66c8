"""Coverage as a calendar: counts that are checked by hand, marks, months, widths."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest

from core.market import Span
from serving.calendar import Day, calendar, drawn, legend, mark
from serving.status import status
from serving.terminal import show_status
from storage import hot
from storage.asked import Ask, note
from storage.store import Store
from tests.storage.samples import MINUTE, candles

if TYPE_CHECKING:
    from pathlib import Path

DAY = timedelta(days=1)
START = datetime(2026, 5, 30, tzinfo=UTC)
NOW = START + 3 * DAY + 10 * MINUTE
D = 1_440


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path, str(tmp_path / "lake"))


def put(store: Store, minutes: list[int], **changes: str) -> None:
    frame = candles(minutes, start=START, ingested_at=NOW, **changes)
    hot.put(store, "candles", frame, now=NOW)


def test_each_day_has_its_bars_and_what_it_could_have(store: Store) -> None:
    put(store, [*range(60, D), *range(D, D + 100), *range(2 * D + 50, 3 * D + 5)])
    days = calendar(store, now=NOW, days=10)
    assert [(day.bars, day.expected) for day in days] == [
        (D - 60, D - 60),
        (100, D),
        (D - 50, D),
        (5, 10),
    ]
    assert [day.cause for day in days] == [None, "never_asked", "never_asked", "never_asked"]
    assert [day.day for day in days] == [START + n * DAY for n in range(4)]


def test_the_days_before_the_window_are_left_out(store: Store) -> None:
    put(store, [*range(3 * D)])
    assert len(calendar(store, now=NOW, days=2)) == 2
    assert calendar(store, now=START, days=5) == []


def test_a_bar_that_is_still_forming_is_not_expected(store: Store) -> None:
    put(store, [*range(3 * D, 3 * D + 10)])
    [day] = calendar(store, now=NOW + timedelta(seconds=59), days=1)
    assert (day.bars, day.expected, day.cause) == (10, 10, None)


def test_a_day_says_the_cause_of_most_of_what_it_lacks(store: Store) -> None:
    put(store, [0, 3 * D + 9])
    asked = Span("binance", "BTC-USDT", "1m", START, START + DAY - 100 * MINUTE)
    note(store, [Ask(asked, "binance", "answered", NOW)], now=NOW)
    causes = [day.cause for day in calendar(store, now=NOW, days=9)]
    assert causes == ["venue_had_none", "never_asked", "never_asked", "never_asked"]


def test_an_empty_store_has_no_calendar(store: Store) -> None:
    assert calendar(store, now=NOW, days=9) == []
    assert drawn([], width=80) == []


@pytest.mark.parametrize(
    ("share", "sign"),
    [(1.0, "█"), (0.999, "▓"), (0.95, "▓"), (0.94, "▒"), (0.5, "▒"), (0.01, "░"), (0.0, "·")],
)
def test_a_whole_day_is_told_from_one_that_lacks_a_bar(share: float, sign: str) -> None:
    assert mark(share) == sign


def day(number: int, bars: int, *, symbol: str = "A-B", cause: str | None = None) -> Day:
    return Day("okx", symbol, "1m", START + number * DAY, bars, D, cause)


def test_marks_stand_in_one_column_a_day_under_their_month() -> None:
    days = [day(0, D), day(1, 0), day(2, 700), day(3, D), day(3, D, symbol="LONG-NAME")]
    months, first, second = (line.plain for line in drawn(days, width=80))
    assert first == "okx A-B 1m        █·░█"
    assert second == "okx LONG-NAME 1m     █"
    assert months.index("May 26") == first.index("█")


def test_a_narrow_terminal_shows_the_worst_of_several_days() -> None:
    days = [day(n, 0 if n == 13 else D) for n in range(40)]
    lines = [line.plain for line in drawn(days, width=32)]
    assert lines[1] == "okx A-B 1m  ██████·█████████████"
    assert lines[-1] == "one mark for 2 days, the worst of them"
    assert all(len(line) <= 40 for line in lines)


def test_the_legend_speaks_of_the_causes_that_there_are() -> None:
    text = " ".join(line.plain for line in legend([day(0, 40, cause="refused"), day(1, D)]))
    assert "1,400 bars missing" in text
    assert "the gate refused them" in text
    assert "nobody" not in text


def test_status_shows_the_calendar_and_the_cause_of_each_gap(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    put(store, [*range(100), *range(150, 3 * D + 10)])
    show_status(status(store, now=NOW, days=9))
    shown = capsys.readouterr().out
    assert "binance BTC-USDT 1m  ▓███" in shown
    assert "50 bars: nobody asked for them" in shown


def test_days_add_up_to_coverage(store: Store) -> None:
    put(store, [m for m in range(3 * D + 10) if m % 7 and not 2_000 < m < 3_333])
    days = calendar(store, now=NOW, days=99)
    stored = status(store, now=NOW).series[0]
    assert sum(d.bars for d in days) == stored.bars
    lacking = sum(d.expected - d.bars for d in days)
    assert lacking == stored.missing + stored.behind
    assert pl.Series([d.share for d in days]).is_between(0, 1).all()
