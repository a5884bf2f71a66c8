from __future__ import annotations

from serving.gates import by_dataset, notable, refused
from tests.serving.nights import verdict, verdicts


def test_batches_are_counted_by_dataset() -> None:
    frame = verdicts(
        [
            verdict(0),
            verdict(1, quarantined=10, accepted=990),
            verdict(2, dataset="backtests", passed=False, accepted=0, reason="no rows"),
        ]
    )
    counts = ["dataset", "batches", "rows", "accepted", "quarantined", "refused"]
    assert [[row[name] for name in counts] for row in by_dataset(frame)] == [
        ["backtests", 1, 1_000, 0, 0, 1],
        ["candles", 2, 2_000, 1_990, 10, 0],
    ]
    assert refused(frame) == 1


def test_refused_batches_come_before_those_that_lost_rows() -> None:
    frame = verdicts(
        [
            verdict(0),
            verdict(1, quarantined=5, reasons='{"duplicate": 2, "price_jump": 3}'),
            verdict(2, passed=False, reason="columns are wrong", reasons=None),
        ]
    )
    rows = notable(frame)
    assert [row["verdict_id"] for row in rows] == ["v2", "v1"]
    assert [row["reasons"] for row in rows] == ["", "price_jump 3, duplicate 2"]


def test_bars_far_from_other_venues_are_named_and_other_warnings_are_not() -> None:
    odd = ['{"venue_distance": 1200, "gap_before": 3}', '{"gap_before": 3}', None, "{broken"]
    frame = verdicts([verdict(number, warnings=text) for number, text in enumerate(odd)])
    assert [(row["verdict_id"], row["reasons"]) for row in notable(frame)] == [
        ("v0", "flagged: venue_distance 1,200")
    ]
    both = verdict(5, quarantined=2, reasons='{"duplicate": 2}', warnings='{"venue_distance": 1}')
    [row] = notable(verdicts([both]))
    assert row["reasons"] == "duplicate 2; flagged: venue_distance 1"


def test_reasons_that_are_not_counts_are_shown_as_they_are() -> None:
    (row,) = notable(verdicts([verdict(0, quarantined=1, reasons="{broken")]))
    assert row["reasons"] == "{broken"


def test_no_verdict_is_no_row() -> None:
    assert by_dataset(verdicts([])) == notable(verdicts([])) == []
    assert refused(verdicts([])) == 0
