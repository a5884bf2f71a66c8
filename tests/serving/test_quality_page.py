from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from core.errors import ContractBroken
from serving.calendar import Day
from serving.quality import (
    CAUSES,
    COVERAGE,
    GAPS,
    OUTLIERS,
    QUARANTINE,
    SCORES,
    QualityReport,
    by_reason,
    freshness,
    headline,
    render_html,
    render_markdown,
    series_of,
)
from tests.serving.nights import verdict, verdicts
from tests.serving.test_report import HOSTILE, check_whole

NOW = datetime(2026, 6, 1, 4, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LAST = NOW - 3 * MINUTE


def covered(
    symbol: str = "BTC-USDT", *, last: datetime = LAST, missing: int = 0, venue: str = "binance"
) -> tuple[Any, ...]:
    first = datetime(2026, 5, 1, tzinfo=UTC)
    expected = (last - first) // MINUTE + 1
    return (venue, symbol, "1m", first, last, expected - missing, expected, missing)


def gap(symbol: str = "BTC-USDT", *, bars: int, day: int) -> tuple[Any, ...]:
    start = datetime(2026, 5, day, 12, tzinfo=UTC)
    return ("binance", symbol, "1m", start, start + bars * MINUTE, bars)


def report(
    series: list[tuple[Any, ...]], gaps: list[tuple[Any, ...]] | None = None, **changes: Any
) -> QualityReport:
    values: dict[str, Any] = {
        "coverage": pl.DataFrame(series, schema=COVERAGE, orient="row"),
        "gaps": pl.DataFrame(gaps or [], schema=GAPS, orient="row"),
        "quarantine": pl.DataFrame(schema=QUARANTINE),
        "verdicts": verdicts([verdict(0)]),
        "made_at": NOW,
    }
    return QualityReport(**(values | changes))


def test_sound_data_is_said_to_be_sound() -> None:
    assert headline(report([covered()])) == "The one series is complete and fresh."
    both = report([covered(), covered("ETH-USDT")])
    assert headline(both) == "All 2 series are complete and fresh."


def test_gaps_and_staleness_are_counted() -> None:
    stale = NOW - timedelta(hours=5)
    found = report(
        [covered(missing=3), covered("ETH-USDT", missing=1, last=stale), covered("SOL-USDT")],
        [gap(bars=3, day=2), gap("ETH-USDT", bars=1, day=3)],
    )
    assert headline(found) == "Of 3 series 2 have gaps and 1 is behind."


def test_refused_batches_are_in_the_headline() -> None:
    gates = verdicts([verdict(0, passed=False, reason="columns are wrong")])
    assert headline(report([covered()], verdicts=gates)).endswith(
        "The gates refused 1 batch in the last day."
    )


def test_an_empty_store_is_said_to_be_empty() -> None:
    empty = report([], coverage=pl.DataFrame(), verdicts=pl.DataFrame())
    assert headline(empty) == "Nothing is stored yet."
    page = check_whole(render_html(empty))
    assert "There is no series." in page.text
    assert "svg" not in page.tags
    assert "Nothing is stored yet." in render_markdown(empty)


def test_each_series_has_its_statement() -> None:
    (whole,) = series_of(report([covered()]))
    assert whole.statement == (
        "Complete: all 44,880 bars since 2026-05-01 00:00 UTC. "
        "Fresh: the last bar closed 2 min before this page was made."
    )
    (holed,) = series_of(report([covered(missing=10)], [gap(bars=7, day=9), gap(bars=3, day=2)]))
    assert holed.statement.startswith(
        "44,870 of 44,880 bars since 2026-05-01 00:00 UTC (99.98 %); 10 missing in 2 gaps, "
        "the longest 7 bars from 2026-05-09 12:00 UTC."
    )
    (single,) = series_of(report([covered(missing=1)], [gap(bars=1, day=9)]))
    assert "1 missing in one gap, 1 bar from 2026-05-09 12:00 UTC." in single.statement


def test_a_series_is_behind_once_its_last_bar_is_too_old() -> None:
    limit = timedelta(hours=2)
    just = covered(last=NOW - limit - MINUTE)
    late = covered(last=NOW - limit - 2 * MINUTE)
    assert [one.stale for one in series_of(report([just]))] == [False]
    assert [one.stale for one in series_of(report([late]))] == [True]
    assert [one.stale for one in series_of(report([late], stale_after=timedelta(hours=3)))] == [
        False
    ]
    assert "Behind: the last bar closed 2 h 1 min before" in series_of(report([late]))[0].statement


def test_the_worst_series_comes_first() -> None:
    found = report(
        [covered("A-B"), covered("C-D", missing=5), covered("E-F", last=NOW - timedelta(days=2))]
    )
    assert [one.name for one in series_of(found)] == [
        "binance E-F 1m",
        "binance C-D 1m",
        "binance A-B 1m",
    ]


def test_a_bar_from_the_future_is_called_impossible() -> None:
    (one,) = series_of(report([covered(last=NOW + timedelta(hours=1))]))
    assert "which cannot be" in one.statement


def test_freshness_counts_from_the_close_of_the_last_bar() -> None:
    coverage = pl.DataFrame([covered()], schema=COVERAGE, orient="row")
    assert freshness(coverage, NOW)["behind"].to_list() == [120.0]
    unknown = coverage.with_columns(interval=pl.lit("7m"))
    assert freshness(unknown, NOW)["behind"].to_list() == [None]
    (one,) = series_of(report([], coverage=unknown))
    assert one.stale
    assert "cannot be said" in one.statement


def test_freshness_may_be_given() -> None:
    given = pl.DataFrame(
        {"venue": ["binance"], "symbol": ["BTC-USDT"], "interval": ["1m"], "behind": [86_400.0]}
    )
    assert "1 d before this page" in series_of(report([covered()], freshness=given))[0].statement


def test_quarantined_rows_are_counted_by_reason() -> None:
    rows = pl.DataFrame({"reasons": [["price_jump"], ["duplicate", "price_jump"], []]})
    counted = by_reason(rows)
    assert counted.rows() == [("price_jump", 2), ("duplicate", 1)]
    text = check_whole(render_html(report([covered()], quarantine=counted))).text
    assert "price_jump 2 the price jumps over 20 %" in text
    none = pl.DataFrame(schema={"reasons": pl.List(pl.String)})
    assert by_reason(none).is_empty()


def test_the_page_is_whole_and_says_when_it_was_made() -> None:
    page = check_whole(render_html(report([covered(missing=7)], [gap(bars=7, day=9)])))
    assert "the data at 2026-06-01 04:02 UTC" in page.text
    assert "svg" in page.tags
    assert "binance BTC-USDT 1m 7 2026-05-09 12:00 UTC 2026-05-09 12:07 UTC" in page.text


def test_hundreds_of_series_and_thousands_of_gaps_stay_a_small_page() -> None:
    series = [covered(f"S{n}-USDT", missing=60) for n in range(120)]
    gaps = [gap(f"S{n}-USDT", bars=1, day=1 + k % 30) for n in range(120) for k in range(30)]
    html = render_html(report(series, gaps))
    page = check_whole(html)
    assert "80 more series are in the table above." in page.text
    assert "3,570 shorter gaps are not listed." in page.text


def test_the_sandbox_is_named() -> None:
    mixed = report([covered(), covered("WAVE-USDT", venue="sandbox")])
    assert (
        "Series of the venue sandbox are not real markets" in check_whole(render_html(mixed)).text
    )
    assert "SANDBOX" in render_markdown(mixed)
    alone = report([covered("WAVE-USDT", venue="sandbox")])
    assert "These are not real markets" in check_whole(render_html(alone)).text
    assert "sandbox" not in check_whole(render_html(report([covered()]))).text.lower()


def test_hostile_names_stay_text() -> None:
    found = report(
        [covered(HOSTILE, missing=7)],
        [gap(HOSTILE, bars=7, day=9)],
        quarantine=pl.DataFrame({"reason": [HOSTILE], "rows": [1]}),
    )
    check_whole(render_html(found))
    assert "<script" not in render_markdown(found)


def test_markdown_has_a_line_per_series() -> None:
    quarantine = pl.DataFrame({"reason": ["duplicate"], "rows": [3]})
    text = render_markdown(report([covered(), covered("ETH-USDT")], quarantine=quarantine))
    assert text.startswith("# All 2 series are complete and fresh.")
    assert text.count("- **binance") == 2
    assert "| duplicate | 3 | the batch has another row of the same key |" in text


def test_a_frame_that_lacks_a_column_is_refused() -> None:
    with pytest.raises(ContractBroken, match=r"report's gaps.*bars"):
        QualityReport(
            coverage=pl.DataFrame(schema=COVERAGE),
            gaps=pl.DataFrame(schema=GAPS).drop("bars"),
            quarantine=pl.DataFrame(),
            verdicts=pl.DataFrame(),
            made_at=NOW,
        )


def caused(cause: str, *, bars: int, day: int) -> tuple[Any, ...]:
    return (*gap(bars=bars, day=day), cause)


def full_report(**changes: Any) -> QualityReport:
    gaps = [gap(bars=7, day=9), gap(bars=3, day=2)]
    key = ("binance", "BTC-USDT", "1m")
    values: dict[str, Any] = {
        "causes": pl.DataFrame(
            [caused("refused", bars=7, day=9), caused("venue_had_none", bars=3, day=2)],
            schema=CAUSES,
            orient="row",
        ),
        "scores": pl.DataFrame([(*key, 0.72, 0.9, 1.0, 0.8, 1.0, 1.0)], SCORES, orient="row"),
        "outliers": pl.DataFrame(
            [
                (*key, LAST, "jump", -0.0123, 40.0),
                (*key, LAST, "volume", 1234.5, 9.0),
            ],
            OUTLIERS,
            orient="row",
        ),
        "calendar": [
            Day(*key, NOW.replace(day=1, hour=0, minute=0), 100, 242, "refused"),
            Day(*key, datetime(2026, 5, 31, tzinfo=UTC), 1_440, 1_440, None),
        ],
    }
    return report([covered(missing=10)], gaps, **(values | changes))


def test_scores_causes_outliers_and_the_calendar_are_on_the_page() -> None:
    page = check_whole(render_html(full_report()))
    for said in (
        "the gate refused them",
        "7 bars: the gate refused them; 3 bars: the venue had none.",
        "Completeness",
        "0.72",
        "0.90",
        "1.23 %",
        "1,23",
        "Day by day",
    ):
        assert said in page.text, said


def test_a_square_of_the_calendar_tells_its_day_in_words() -> None:
    html = render_html(full_report())
    assert 'title="2026-06-01: 100 of 242, the gate refused them"' in html
    assert 'title="2026-05-31: 1,440 of 1,440"' in html
    assert 'class="day f4" title=' in html


def test_a_page_without_what_is_new_leaves_it_out() -> None:
    text = check_whole(render_html(report([covered()]))).text
    assert "Day by day" not in text
    assert "Agreement" not in text
    assert "stand out" not in text.replace("gaps stand out", "")


def test_the_artifact_has_scores_and_causes_too() -> None:
    text = render_markdown(full_report())
    assert "(score 0.72)" in text
    assert "| the gate refused them | 7 |" in text
