from __future__ import annotations

import html
import json
import math
import re
import subprocess
import sys
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from research.book import book_of
from serving.luck import describe
from serving.night import Luck
from serving.report import NightReport, headline, render_html, render_markdown
from tests.serving.nights import (
    OBJECTION,
    OPINIONS,
    TEXT,
    backtests,
    candidate,
    luck,
    night,
    quality,
    verdict,
    verdicts,
    won,
    worlds,
)
from tests.serving.pages import Page
from tests.serving.test_book import paper

HOSTILE = '<script>alert("x")</script> \'"&</pre></style>{{ 7*7 }} `code` | {% raw %} ]]> <!-- '


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
    symbols = ["BTC-USDT", "ETH-USDT"]
    rows = [
        candidate(n, symbol=symbols[n % 2], members=[f"{n:016x} {symbols[n % 2]}"])
        for n in range(20)
    ]
    return night(rows, symbols=symbols, trials=12_345)


@pytest.fixture(scope="module")
def quiet_page(quiet: NightReport) -> Page:
    return check_whole(render_html(quiet))


def test_the_headline_stands_first(quiet: NightReport, quiet_page: Page) -> None:
    text = quiet_page.text
    assert headline(quiet) in text
    body = text[text.index("the night of") :]
    assert body.index(headline(quiet)) < body.index("were bred on")


def test_sections_come_in_the_order_of_reading(quiet_page: Page) -> None:
    order = "luck power equity misses counts quality gates costs again timings claims"
    assert [one for one in quiet_page.ids if one in order.split()] == order.split()


def test_pictures_come_before_tables(quiet_page: Page) -> None:
    body = quiet_page.html.split("<main>")[1]
    assert body.index("<svg") < body.index("<table")


def test_the_page_names_no_address_at_all(quiet_page: Page) -> None:
    assert "http" not in quiet_page.html.replace("http-equiv", "")


def test_the_page_forbids_itself_scripts_and_the_network(quiet_page: Page) -> None:
    assert "default-src 'none'" in quiet_page.html


def test_no_promotion_reads_as_a_normal_night(quiet_page: Page) -> None:
    assert "That is a normal night." in quiet_page.text
    assert "None of these was promoted; each says why." in quiet_page.text
    assert "Promoted to paper trading" not in quiet_page.text
    assert "Alarm" not in quiet_page.text


def test_the_worlds_are_drawn_and_told(quiet: NightReport, quiet_page: Page) -> None:
    section = quiet_page.html.split('id="luck"')[1].split("</section>")[0]
    assert section.count("<svg") == 2
    assert "hurdle of luck: 8.5" in quiet_page.text
    assert "tonight’s best: 6.0" in quiet_page.text
    assert describe(quiet) in quiet_page.text
    assert "199 mirrored worlds" in quiet_page.text


def test_what_a_night_can_find_is_drawn_and_told(quiet_page: Page) -> None:
    assert "80 % at 10.2" in quiet_page.text
    assert "at most 1.8 nights a year" in quiet_page.text
    assert "0.5 % · tonight 1.82 –" in quiet_page.text
    assert "5 % 18.25 14.8" in quiet_page.text


def test_the_best_that_failed_are_drawn_and_labelled(quiet_page: Page) -> None:
    section = quiet_page.html.split('id="equity"')[1].split("</section>")[0]
    assert section.count("<svg") == 3
    assert section.count(">not promoted<") == 3
    assert section.count("Luck alone does as well too often: p = 0.30, and at most 0.005") == 3


def test_every_miss_says_why_and_shows_its_text(quiet_page: Page) -> None:
    assert quiet_page.blocks.count(TEXT) == 5
    said = "Not promoted: luck alone does as well too often: p = 0.30, and at most 0.005 promotes."
    assert quiet_page.text.count(said) == 5


def test_a_promoted_night_shows_every_winner() -> None:
    other = "long when rsi(14) < 30\non 1h"
    rows = [won(0), won(1, symbol="ETH-USDT", text=other, members=["1 ETH-USDT"]), candidate(2)]
    page = check_whole(render_html(night(rows)))
    assert "Promoted 2 of 3 candidates." in page.text
    assert {TEXT, other} <= set(page.blocks)
    for number in (0, 1):
        assert f"{number:016x}" in page.text
    assert page.html.split('id="equity"')[1].split("</section>")[0].count("<svg") == 2


def test_a_winner_has_its_opinions_its_plan_and_what_should_be_left() -> None:
    page = check_whole(render_html(night([won(0)])))
    section = page.html.split('id="winners"')[1].split("</section>")[0]
    text = Page(section.partition(">")[2]).text
    assert "agrees deflated Sharpe ratio 0.987 · bar 0.745" in text
    assert "only reported overfitting 0.31" in text
    assert text.index("Only reported: these hold nothing back") > text.index("Every number")
    assert "judged once, after 90 whole days (UTC)" in text
    assert "stopped early where the sum" in text
    assert "ab" * 32 in text
    assert "What should be left 6.9 to 8.5" in text


def test_what_was_held_back_names_its_objection_and_stands_by_itself() -> None:
    rows = [
        won(0),
        won(1, verdict="held_back", opinions=json.dumps([*OPINIONS, OBJECTION])),
        candidate(2),
    ]
    page = check_whole(render_html(night(rows)))
    section = page.html.split('id="held"')[1].split("</section>")[0]
    assert "the second opinion “superior predictive ability” objects" in section
    assert f"{1:016x}" in section
    nearest = page.html.split('id="misses"')[1].split("</section>")[0]
    assert f"{1:016x}" not in nearest
    assert f"{2:016x}" in nearest


def test_a_portfolio_shows_its_rules_and_a_pooled_one_each_symbol() -> None:
    mixed = {
        "kind": "portfolio",
        "symbol": "*",
        "members": ["aa BTC-USDT", "bb ETH-USDT"],
        "text": f"[BTC-USDT]\n{TEXT}\n\n[ETH-USDT]\n{TEXT}",
    }
    rows = [won(0, **mixed), won(1, kind="pooled", symbol="*", members=["cc *"])]
    page = check_whole(render_html(night(rows, symbols=["BTC-USDT", "ETH-USDT"])))
    assert "portfolio of 2 promoted" in page.text
    assert "all 2 symbols promoted" in page.text
    assert "aa BTC-USDT 1.50" in page.text
    assert "cc BTC-USDT 1.50" in page.text
    assert "cc ETH-USDT 1.50" in page.text
    assert "aa ETH-USDT" not in page.text


def test_fifty_winners_are_all_there_and_twelve_are_drawn() -> None:
    rows = [won(n, text=f"long when rsi({n + 2}) < 30\non 1h") for n in range(50)]
    page = check_whole(render_html(night([*rows, candidate(60)])))
    for number in range(50):
        assert f"{number:016x}" in page.text
        assert f"long when rsi({number + 2}) < 30\non 1h" in page.blocks
    assert page.html.split('id="equity"')[1].split("</section>")[0].count("<svg") == 12
    assert "38 more promoted ones are in the table below." in page.text


def test_many_worlds_stay_a_small_page() -> None:
    html = render_html(night(luck=luck(mirrored=worlds(9_999), permuted=worlds(999))))
    check_whole(html)
    assert len(html) < 150_000


def test_an_alarm_is_over_the_whole_page() -> None:
    rows = [won(0, verdict="held_back"), candidate(1)]
    page = check_whole(render_html(night(rows, luck=luck(alarm=3.4))))
    body = page.text[page.text.index("Alarm") :]
    assert body.index("Worlds without an edge look 3.4 × as good") < body.index("nightjar")
    assert 'role="alert"' in page.html
    assert "ALARM" in render_markdown(night(rows, luck=luck(alarm=3.4)))
    assert "ALARM" not in render_markdown(night())


def test_what_was_tried_is_counted_by_where_it_ended(quiet_page: Page) -> None:
    text = quiet_page.text
    assert "tried 12,345" in text
    assert "dropped by the search on its way 2,900" in text
    assert "not above luck 20" in text
    for said in ("Distinct strategies 2,500", "Effective trials about 310", "not proven 3"):
        assert said in text
    assert "5e" * 32 in text


def test_paper_trading_is_drawn_and_told_where_there_is_any(quiet_page: Page) -> None:
    assert "paper" not in quiet_page.ids
    page = check_whole(render_html(night(book=book_of(paper()))))
    section = page.html.split('id="paper"')[1].split("</section>")[0]
    assert section.count("<svg") == 1, "one runs, the other was killed"
    text = Page(section.partition(">")[2]).text
    assert "paper +1.5 % forecast +0.6 % stopped below −6.3 %" in text
    assert "killed 2026-03-11" in text
    assert "promoted against rejected" in text


def test_a_night_of_nothing_can_be_written() -> None:
    nothing = pl.DataFrame()
    empty = night(
        [],
        ended=nothing,
        benchmark=nothing,
        quality=nothing,
        gates=nothing,
        luck=Luck(),
        trials=0,
        distinct=0,
        timings={},
        manifest={},
        symbols=[],
        ledger=None,
    )
    page = check_whole(render_html(empty))
    for said in (
        "no strategy was tried.",
        "no world was searched.",
        "Too few worlds were searched to say.",
        "There is no curve to draw.",
        "There was no candidate: nothing traded often enough.",
        "Nothing was tried.",
        "There was no data to look at.",
        "No batch came to a gate.",
    ):
        assert said in page.text
    assert "no strategy was tried." in render_markdown(empty)


@pytest.mark.parametrize("nothing", [None, math.nan, math.inf])
def test_numbers_that_are_none_can_be_written(nothing: float | None) -> None:
    names = ("sharpe", "total_return", "max_drawdown", "shrunk", "permutation_p")
    empty: dict[str, Any] = dict.fromkeys(names, nothing)
    metrics = backtests([won(0)], ["BTC-USDT"]).with_columns(pl.selectors.float() * math.nan)
    report = night([won(0, **empty), candidate(1, **empty)], members=metrics)
    page = check_whole(render_html(report))
    assert "nan" not in page.text.lower().split()
    assert render_markdown(report)


def test_a_winner_without_days_is_still_in_the_table() -> None:
    page = check_whole(render_html(night([won(0, daily_returns=[])])))
    assert "There is no curve to draw." in page.text
    assert TEXT in page.blocks


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
        "search 1 min 1 s",
        "luck 5 min ",
        "nightjar nightly --replay 2026-06-01",
        "nightjar nightly --as-of 2026-06-01T03:00:00Z --symbols BTC-USDT,ETH-USDT",
        "--days 90 --seed 7",
    ):
        assert said in quiet_page.text


def test_the_bars_of_the_night_are_named() -> None:
    text = check_whole(render_html(night(manifest={"interval": "1h"}))).text
    assert "Bars of 1h of binance" in text
    assert "--symbols BTC-USDT --interval 1h --strategies" in text
    assert "--interval" not in check_whole(render_html(night())).text


def test_claims_can_be_checked_by_sql(quiet_page: Page) -> None:
    assert any(
        block.startswith('nightjar sql "select')
        and "from promotions where night = '2026-06-01'" in block
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
    report = night([won(0, text=text, daily_returns=[])])
    page = check_whole(render_html(report))
    assert text in page.blocks
    assert text in render_markdown(report)


def test_hostile_names_stay_text_everywhere() -> None:
    names = ("batch", "dataset", "reason", "reasons")
    opinion = json.dumps([{"name": HOSTILE, "sentence": HOSTILE, "agrees": False}])
    named = {"symbol": HOSTILE, "members": [f"a {HOSTILE}"], "opinions": opinion}
    rows = [
        won(0, candidate_id=HOSTILE, **named),
        candidate(1, verdict="held_back", **named),
        candidate(2, verdict=HOSTILE, **named),
    ]
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
    text = render_markdown(night([won(0), candidate(1)]))
    assert text.startswith("# Promoted 1 of 2 candidates.")
    assert "## Promoted to paper trading" in text
    assert f"```\n{TEXT}\n```" in text
    assert "| not above luck | 1 |" in text
    assert "| 0000000000000000 | BTC-USDT | 12.00 | 6.9 to 8.5 | 0.002 | 0.01 |" in text
    assert "data:image" not in text


def test_markdown_names_what_objected() -> None:
    row = won(0, verdict="held_back", opinions=json.dumps([OBJECTION]))
    said = "- objection: superior predictive ability. Reshuffled days do as well in 21 %"
    assert said in render_markdown(night([row]))


def test_markdown_can_carry_a_picture() -> None:
    assert "](data:image/png;base64,iVBOR" in render_markdown(night([won(0)]), chart=True)
    nothing = luck(mirrored=[], hurdle=None, smallest=None)
    assert "data:image" not in render_markdown(night([], luck=nothing), chart=True)


def test_reading_a_report_does_not_import_altair() -> None:
    code = "import sys, serving.report, serving.quality; sys.exit('altair' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
