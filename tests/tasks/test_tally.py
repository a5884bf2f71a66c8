"""What became of a collection's batches is counted, whenever they are merged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from core.errors import CollectionIncomplete, GateRefused, SourceUnavailable, StoreBusy
from core.market import Span
from core.receipts import Merge, Receipt
from storage.lake import sql
from tasks import tally as room
from tasks.tally import Fetched, Summary, Tally

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.errors import NightjarError

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


class Merging:
    """Stands for the step that merges: answers as `become` says, and keeps what it was given."""

    def __init__(self, become: Callable[[Receipt], Merge | NightjarError]) -> None:
        self._become = become
        self.groups: list[list[str]] = []
        self.names: list[str] = []

    def with_options(self, *, task_run_name: str) -> Merging:
        self.names.append(task_run_name)
        return self

    def __call__(self, receipts: list[Receipt], *, return_state: bool) -> Merging:
        assert return_state
        self.groups.append([receipt.path for receipt in receipts])
        self._found = [self._become(receipt) for receipt in receipts]
        return self

    def result(self, *, raise_on_failure: bool) -> Any:
        assert not raise_on_failure
        return self._found


def batch(name: str, rows: int = 60) -> Receipt:
    path = f"landing/candles/sandbox_{name}_1m_x.parquet"
    end = START + timedelta(minutes=rows - 1)
    return Receipt("candles", path, rows, "sandbox", start=START, end=end)


def whole(receipt: Receipt) -> Merge:
    return Merge("candles", receipt.path, receipt.rows, inserted=receipt.rows)


def span(name: str, minutes: int = 60) -> Span:
    return Span("sandbox", name, "1m", START, START + timedelta(minutes=minutes))


def test_batches_wait_for_each_other_until_there_are_many_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    merging = Merging(whole)
    monkeypatch.setattr(room, "merge_batches", merging)
    monkeypatch.setattr(room, "MOST_ROWS", 150)
    tally = Tally("sandbox")
    for name in ("A-B", "C-D", "E-F", "G-H"):
        tally.merge(batch(name))
    assert [len(group) for group in merging.groups] == [3]
    assert tally.summary().total("inserted") == 240
    assert [len(group) for group in merging.groups] == [3, 1]
    assert merging.names == [
        "merge sandbox A-B 1m 2026-03-01T00:00:00Z to 2026-03-01T00:59:00Z and 2 more",
        "merge sandbox G-H 1m 2026-03-01T00:00:00Z to 2026-03-01T00:59:00Z",
    ]


def test_no_batch_waits_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    merging = Merging(whole)
    monkeypatch.setattr(room, "merge_batches", merging)
    monkeypatch.setattr(room, "LONGEST_WAIT", 0.0)
    tally = Tally("sandbox")
    tally.merge(batch("A-B"))
    assert len(merging.groups) == 1


def test_a_batch_that_comes_twice_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    merging = Merging(whole)
    monkeypatch.setattr(room, "merge_batches", merging)
    tally = Tally("sandbox")
    tally.merge(batch("A-B"))
    tally.take_span(span("A-B"), Fetched(batch("A-B")))
    assert tally.summary().total("inserted") == 60
    assert merging.groups == [[batch("A-B").path]]


def test_each_batch_of_a_group_has_its_own_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def become(receipt: Receipt) -> Merge | NightjarError:
        return GateRefused("candles", "too much") if "C-D" in receipt.path else whole(receipt)

    monkeypatch.setattr(room, "merge_batches", Merging(become))
    tally = Tally("sandbox")
    for name in ("A-B", "C-D"):
        tally.take_span(span(name), Fetched(batch(name)))
    tally.keep_asks()
    summary = tally.summary()
    assert summary.total("inserted") == 60
    assert summary.refused == (f"{batch('C-D').path}: too much",)
    found = sql("select symbol, outcome from asked order by symbol").rows()
    assert found == [("A-B", "answered"), ("C-D", "refused")]


def test_a_group_that_cannot_be_merged_is_missing_batch_by_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Held(Merging):
        def result(self, *, raise_on_failure: bool) -> Any:
            super().result(raise_on_failure=raise_on_failure)
            return StoreBusy("hot.duckdb", waited=30.0, holder="a shell (PID 1)")

    monkeypatch.setattr(room, "merge_batches", Held(whole))
    tally = Tally("sandbox")
    for name in ("A-B", "C-D"):
        tally.merge(batch(name))
    failed = tally.summary().failed
    assert [what.split(" ")[0] for what in failed] == [batch("A-B").path, batch("C-D").path]
    assert all("PID 1" in what for what in failed)
