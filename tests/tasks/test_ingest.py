from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from core.errors import CollectionIncomplete, GateRefused, SourceUnavailable
from core.market import Span
from core.receipts import Merge
from sources.binance_dump import ArchiveFile
from storage.lake import sql
from tasks.ingest import BATCH_BARS, Summary, Tally, plan_spans, span_of

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_summary_adds_up_its_merges() -> None:
    merges = (
        Merge("candles", "a", 3, inserted=2, unchanged=1),
        Merge("candles", "b", 4, inserted=4),
    )
    summary = Summary("sandbox", merges)
    assert (summary.total("inserted"), summary.total("unchanged")) == (6, 1)
    assert summary.require() is summary


def test_what_is_missing_weighs_more_than_what_was_refused() -> None:
    with pytest.raises(GateRefused, match="too much"):
        Summary("sandbox", refused=("a batch: too much",)).require()
    with pytest.raises(CollectionIncomplete, match="a span") as error:
        Summary("sandbox", refused=("a batch: too much",), failed=("a span",)).require()
    assert error.value.missing == ["a span"]


def test_the_dataset_of_what_was_refused_is_told() -> None:
    refused = ("landing/tickers/kraken_x.parquet: too much",)
    with pytest.raises(GateRefused, match="a batch of tickers: landing/tickers") as error:
        Summary("kraken", refused=refused).require()
    assert error.value.dataset == "tickers"


def test_a_step_that_failed_for_a_reason_of_ours_is_counted_and_any_other_raised() -> None:
    tally = Tally("sandbox")
    tally.take("a span", SourceUnavailable("sandbox", "no answer"))
    tally.take("an empty span", None)
    assert tally.summary().failed == ("a span (sandbox is unavailable: no answer)",)
    with pytest.raises(ZeroDivisionError):
        tally.take("a span", ZeroDivisionError())


def test_an_empty_store_is_filled_in_batches(tmp_path: Path) -> None:
    bars = BATCH_BARS + 10
    spans = plan_spans.fn("sandbox", ["A-B", "C-D"], "1m", START, START + timedelta(minutes=bars))
    assert [span.symbol for span in spans] == ["A-B", "A-B", "C-D", "C-D"]
    assert [span.bars for span in spans] == [BATCH_BARS, 10] * 2


def test_what_was_asked_is_noted_with_what_came_of_it() -> None:
    span = Span("sandbox", "A-B", "1m", START, START + timedelta(hours=1))
    tally = Tally("sandbox")
    tally.take(span, SourceUnavailable("sandbox", "no answer"), span)
    tally.take(span, None, span)
    tally.take("a file whose span nobody knows", None)
    tally.keep_asks()
    tally.keep_asks()
    found = sql("select outcome, rows, source from asked order by asked_at")
    assert found.rows() == [("failed", None, "sandbox"), ("answered", 0, "sandbox")]


def test_a_dump_is_asked_for_its_period_or_the_part_that_is_wanted() -> None:
    file = ArchiveFile("x.zip", "BTC-USDT", "1m", "2026-03")
    whole = span_of(file, None, None)
    assert whole is not None
    assert (whole.start, whole.end) == (START, datetime(2026, 4, 1, tzinfo=UTC))
    part = span_of(file, START + timedelta(days=1), START + timedelta(days=3))
    assert part is not None
    assert part.bars == 2 * 1_440
    assert span_of(file, datetime(2026, 4, 1, tzinfo=UTC), None) is None
