from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from core.errors import GateRefused, SourceUnavailable, StoreBusy
from core.market import Span
from core.receipts import Receipt
from storage.asked import ask_of, closed_at, note
from storage.lake import sql
from tests.storage.samples import MINUTE, NOW, START

if TYPE_CHECKING:
    from core.errors import NightjarError
    from storage.store import Store

SPAN = Span("binance", "BTC-USDT", "1m", START, START + 10 * MINUTE)
LANDED = Receipt("candles", "landing/candles/x.parquet", 7, "binance")


@pytest.mark.parametrize(
    ("receipt", "wrong", "outcome", "rows"),
    [
        (LANDED, None, "answered", 7),
        (None, None, "answered", 0),
        (LANDED, GateRefused("candles", "too much"), "refused", 7),
        (LANDED, StoreBusy("hot", waited=1), "failed", 7),
        (None, SourceUnavailable("binance", "no answer"), "failed", None),
    ],
)
def test_what_came_of_a_question_is_kept(
    store: Store,
    receipt: Receipt | None,
    wrong: NightjarError | None,
    outcome: str,
    rows: int | None,
) -> None:
    note(store, [ask_of(SPAN, "binance", receipt, wrong, asked_at=NOW)], now=NOW)
    [row] = sql("from asked", store=store).to_dicts()
    assert (row["outcome"], row["rows"], row["start"], row["end"]) == (
        outcome,
        rows,
        SPAN.start,
        SPAN.end,
    )
    assert row["landed"] == (receipt.path if receipt else None)
    assert row["reason"] == (str(wrong) if wrong else None)


def test_nothing_asked_writes_nothing(store: Store) -> None:
    note(store, [], now=NOW)
    assert not store.home.exists()


def test_a_bar_that_is_still_forming_was_not_asked_for() -> None:
    assert closed_at(SPAN, START + timedelta(seconds=59)) is None
    closed = closed_at(SPAN, START + timedelta(seconds=150))
    assert closed is not None
    assert closed.bars == 2
    assert closed_at(SPAN, NOW) == SPAN
