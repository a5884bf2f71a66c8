from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sources.binance_dump import ArchiveFile
from tasks.ingest import BATCH_BARS, plan_spans, span_of

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2026, 3, 1, tzinfo=UTC)


def test_an_empty_store_is_filled_in_batches(tmp_path: Path) -> None:
    bars = BATCH_BARS + 10
    spans = plan_spans.fn("sandbox", ["A-B", "C-D"], "1m", START, START + timedelta(minutes=bars))
    assert [span.symbol for span in spans] == ["A-B", "A-B", "C-D", "C-D"]
    assert [span.bars for span in spans] == [BATCH_BARS, 10] * 2


def test_a_dump_is_asked_for_its_period_or_the_part_that_is_wanted() -> None:
    file = ArchiveFile("x.zip", "BTC-USDT", "1m", "2026-03")
    whole = span_of(file, None, None)
    assert whole is not None
    assert (whole.start, whole.end) == (START, datetime(2026, 4, 1, tzinfo=UTC))
    part = span_of(file, START + timedelta(days=1), START + timedelta(days=3))
    assert part is not None
    assert part.bars == 2 * 1_440
    assert span_of(file, datetime(2026, 4, 1, tzinfo=UTC), None) is None
