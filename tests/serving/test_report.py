from __future__ import annotations

import html
import math
import re
import subprocess
import sys
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.datasets import METRICS
from serving.report import NightReport, headline, render_html, render_markdown, summary_table
from tests.serving.nights import AS_OF, TEXT, night, quality, result, verdict, verdicts
from tests.serving.pages import Page

HOSTILE = '<script>alert("x")</script> \'"&</pre></style>{{ 7*7 }} `code` | {% raw %} ]]> <!-- '


def won(number: int, **changes: Any) -> dict[str, Any]:
    scored = {"verdict": "promoted", "sharpe": 7.0 + number / 100, "deflated_sharpe": 0.97}
    return result(number, **(scored | changes))


def check_whole(html: str) -> Page:
    """Check what must hold of every page, and return it."""
    page = Page(html)
    assert page.loads == []
    assert page.handlers == []
    assert "script" not in page.tags
    assert page.badly_nested == []
    assert len(page.ids) == len(set(page.ids))
    links = {one[1:] for one in page.references if one.startswith("#")}
    assert links <= set(page.ids)
    assert len(html) < 1_500_000
    return page


@pytest.fixture(scope="module")
def quiet() -> NightReport:
    rng = np.random.default_rng(5)
    rows = [
        result(n, symbol=symbol, sharpe=float(rng.normal(-1, 2)), verdict=verdict)
        for n, verdict in enumerate(["too_few_trades", "fails_in_sample", "not_above_luck"] * 4)
        for symbol in ("BTC-USDT", "ETH-USDT")
    ]
    return night(rows, trials=3_000, holdout_from=AS_OF - timedelta(days=30))


@pytest.fixture(scope="module")
def quiet_page(quiet: NightReport) -> Page:
    return check_whole(render_html(quiet))


def test_the_headline_stands_first(quiet: NightReport, quiet_page: Page) -> None:
    text = quiet_page.text
    assert headline(quiet) in text
    body = text[text.index("the night of") :]
    assert body.index(headline(quiet)) < body.index("were traded over")


def test_sections_come_in_the_order_of_reading(quiet_page: Page) -> None:
    order = "luck equity misses checks quality gates costs again timings claims"
    sections = order.split()
    assert [one for one in quiet_page.ids if one in sections] == sections


def test_the_page_names_no_address_at_all(quiet_page: Page) -> None:
    assert "http" not in quiet_page.html.replace("http-equiv", "")


def test_the_page_forbids_itself_scripts_and_the_network(quiet_page: Page) -> None:
    assert "default-src 'none'" in quiet_page.html


def test_no_promotion_reads_as_a_normal_night(quiet_page: Page) -> None:
    assert "That is a normal, good outcome." in quiet_page.text
    assert "None of these was promoted; each says why." in quiet_page.text
    assert "Promoted to paper trading" not in quiet_page.text


def test_the_luck_hurdle_is_drawn_and_explained(quiet_page: Page) -> None:
    assert "luck alone: 6.2" in quiet_page.text
    assert "the Sharpe ratio expected of the luckiest of 3,000 strategies" in quiet_page.text


def test_the_best_that_failed_are_drawn_and_labelled(quiet_page: Page) -> None:
    section = quiet_page.html.split('id="equity"')[1].split("</section>")[0]
    assert section.count("<svg") == 3
    assert section.count(">not promoted<") == 3
    assert section.count("Not promoted because it is not far enough above luck") == 3
    assert "The shaded days are the holdout, which a winner must pass on its own." in section


def test_every_miss_says_why_and_shows_its_text(quiet_page: Page) -> None:
    assert quiet_page.blocks.count(TEXT) == 5
    said = "Not promoted because it is not far enough above luck to rule luck out."
    assert quiet_page.text.count(said) >= 5


def test_a_promoted_night_shows_every_winner() -> None:
    rows = [won(0), won(1, symbol="ETH-USDT", text="long when rsi(14) < 30\non 1h"), result(2)]
    page = check_whole(render_html(night(rows)))
    assert "2 strategies promoted." in page.text
    assert {TEXT, "long when rsi(14) < 30\non 1h"} <= set(page.blocks)
    for number in (0, 1):
        assert f"{number:016x}" in page.text
    assert page.html.split('id="equity"')[1].split("</section>")[0].count("<svg") == 2
    assert "above 0.99" not in page.text
    assert "Probability that the true Sharpe ratio exceeds" in page.text


def test_fifty_winners_are_all_there_and_twelve_are_drawn() -> None:
    rows = [won(n, text=f"long when rsi({n + 2}) < 30\non 1h") for n in range(50)] + [result(60)]
    page = check_whole(render_html(night(rows)))
    for number in range(50):
        assert f"{number:016x}" in page.text
        assert f"long when rsi({number + 2}) < 30\non 1h" in page.blocks
    assert page.html.split('id="equity"')[1].split("</section>")[0].count("<svg") == 12
    assert "38 more promoted ones are in the table below." in page.text


def test_thousands_of_trials_stay_a_small_page() -> None:
    rng = np.random.default_rng(0)
    rows = [
        result(n, sharpe=float(score), verdict="fails_in_sample")
        for n, score in enumerate(rng.normal(-1, 3, 12_000))
    ]
    html = render_html(night(rows))
    check_whole(html)
    assert len(html) < 150_000


def test_a_night_of_nothing_can_be_written() -> None:
    empty = night(
        [],
        equity=pl.DataFrame(),
        benchmark=pl.DataFrame(),
        quality=pl.DataFrame(),
        gates=pl.DataFrame(),
        timings={},
        manifest={},
        symbols=[],
    )
    page = check_whole(render_html(empty))
    for said in (
        "No strategy was tried.",
        "There is no curve to draw.",
        "No trial traded.",
        "Nothing was tried, so nothing failed.",
        "There was no data to look at.",
        "No batch came to a gate.",
    ):
        assert said in page.text
    assert "No strategy was tried." in render_markdown(empty)
    assert all(cells == [] for _, cells in summary_table(empty))


@pytest.mark.parametrize("nothing", [None, math.nan, math.inf])
def test_metrics_that_are_no_numbers_can_be_written(nothing: float | None) -> None:
    integers = {"trades", "ambiguous_trades"}
    empty: dict[str, Any] = dict.fromkeys([m for m in METRICS if m not in integers], nothing)
    empty |= dict.fromkeys(["in_sample_sharpe", "out_of_sample_sharpe", "deflated_sharpe"], nothing)
    report = night([won(0, **empty), result(1, **empty), result(2)], luck_hurdle=6.2)
    page = check_whole(render_html(report))
    assert "nan" not in page.text.lower().split()
    assert render_markdown(report)
    assert summary_table(report)


def test_a_winner_without_a_curve_is_still_in_the_table() -> None:
    page = check_whole(render_html(night([won(0)], equity=pl.DataFrame())))
    assert "There is no curve to draw." in page.text
    assert TEXT in page.blocks


def test_a_winner_whose_curve_has_no_number_is_not_drawn() -> None:
    report = night([won(0)])
    broken = report.equity.with_columns(equity=pl.lit(math.nan))
    page = check_whole(render_html(night([won(0)], equity=broken)))
    assert "There is no curve to draw." in page.text


def test_the_sandbox_is_named_wherever_a_reader_looks() -> None:
    real, made_up = night([won(0)]), night([won(0)], venue="sandbox")
    page = check_whole(render_html(made_up))
    assert page.html.count("andbox") >= 6
    assert "These are not real markets: the offline exchange made every price." in page.text
    assert "sandbox" in page.html.split("<title>")[1].split("</title>")[0]
    assert "SANDBOX" in render_markdown(made_up)
    assert "sandbox" not in check_whole(render_html(real)).text.lower()
    assert "SANDBOX" not in render_markdown(real)


def test_gates_that_refused_are_told_with_their_reasons() -> None:
    reason = "12 % of its rows broke a rule"
    gates = verdicts(
        [
            verdict(0),
            verdict(1, passed=False, reason=reason, quarantined=120, reasons='{"price_jump": 120}'),
        ]
    )
    text = check_whole(render_html(night(gates=gates))).text
    assert "1 batch was refused." in text
    assert "refused: 12 % of its rows broke a rule" in text
    assert "price_jump 120" in text


def test_a_hundred_notable_batches_are_not_all_listed() -> None:
    gates = verdicts([verdict(n, quarantined=1) for n in range(100)])
    page = check_whole(render_html(night(gates=gates)))
    assert "60 further batches like these are in the store." in page.text


def test_data_quality_is_told_per_symbol(quiet_page: Page) -> None:
    assert "129,590 129,600 10 99.99 % 4 2026-03-03 03:00 UTC" in quiet_page.text


def test_costs_manifest_and_timings_are_told(quiet_page: Page) -> None:
    for said in (
        "10 basis points per side",
        "5 basis points per side",
        "1 basis points per 8 hours",
        "settings.costs.fee_bps 10",
        "data d4f1",
        "backtest 1 min 1 s",
        "nightjar nightly --as-of 2026-06-01T03:00:00Z --symbols BTC-USDT,ETH-USDT",
        "--days 90 --seed 7",
    ):
        assert said in quiet_page.text


def test_claims_can_be_checked_by_sql(quiet_page: Page) -> None:
    assert any(
        block.startswith('nightjar sql "select')
        and block.endswith("from promotions where night = '2026-06-01'\"")
        for block in quiet_page.blocks
    )


def test_a_very_long_strategy_is_shown_whole() -> None:
    text = "long when " + " and ".join(f"rsi({n}) < 30" for n in range(2, 2_000)) + "\non 1m"
    page = check_whole(render_html(night([won(0, text=text)])))
    assert text in page.blocks


def test_one_report_gives_the_same_bytes_each_time(quiet: NightReport) -> None:
    assert render_html(quiet) == render_html(quiet)
    assert render_markdown(quiet) == render_markdown(quiet)


@settings(max_examples=8)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), min_size=1, max_size=80))
@example(HOSTILE)
@example("</pre><img src=x onerror=alert(1)>")
@example("long when close > 1 & volume < 2 or 'a' == \"b\"")
def test_hostile_strategies_stay_text(text: str) -> None:
    report = night([won(0, text=text)], equity=pl.DataFrame())
    page = check_whole(render_html(report))
    assert text in page.blocks
    assert text in render_markdown(report)


def test_hostile_names_stay_text_everywhere() -> None:
    names = ("batch", "dataset", "reason", "reasons")
    rows = [won(0, symbol=HOSTILE, strategy_id=HOSTILE), result(1, symbol=HOSTILE, verdict=HOSTILE)]
    report = night(
        rows,
        night=HOSTILE,
        manifest={HOSTILE: {HOSTILE: HOSTILE}},
        timings={HOSTILE: 1.0},
        quality=quality([HOSTILE]),
        gates=verdicts([verdict(0, passed=False, **dict.fromkeys(names, HOSTILE))]),
    )
    page = check_whole(render_html(report))
    assert "49" not in page.text.split("Run it again")[1].split("Where the time went")[0]
    assert html.escape("<script>", quote=False) in page.html
    outside = re.sub(
        r"^(`{3,})\n.*?\n\1$", "", render_markdown(report), flags=re.DOTALL | re.MULTILINE
    )
    assert "<script" not in outside


def test_markdown_starts_with_the_headline_and_tells_the_winners() -> None:
    text = render_markdown(night([won(0), result(1)]))
    assert text.startswith("# 1 strategy promoted on BTC-USDT.")
    assert "## Promoted to paper trading" in text
    assert f"```\n{TEXT}\n```" in text
    assert "| not clearly above luck | 1 | 1 |" in text
    assert "data:image" not in text


def test_markdown_can_carry_a_picture() -> None:
    assert "](data:image/png;base64,iVBOR" in render_markdown(night([won(0)]), chart=True)


def test_the_terminal_table_shows_winners_else_the_nearest_misses() -> None:
    columns = dict(summary_table(night([won(0), result(1)])))
    assert columns["strategy"] == [f"{0:016x}"]
    assert columns["Sharpe"] == ["7.00"]
    assert "failed because" not in columns
    missed = dict(summary_table(night([result(1)])))
    assert missed["failed because"] == ["not clearly above luck"]
    assert len({len(cells) for cells in missed.values()}) == 1


def test_reading_a_report_does_not_import_altair() -> None:
    code = "import sys, serving.report, serving.quality; sys.exit('altair' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
