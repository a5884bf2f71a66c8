"""The report of a real, small night: every number of it can be found again by its own SQL."""

from __future__ import annotations

import json
import math
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from flows.nightly import nightly
from serving.checks import ending
from serving.claims import claims
from serving.words import about, count, decimal, odds, percent, seconds
from storage.lake import sql
from tasks import weigh
from tests.flows.test_nightly import SMALL, SYMBOLS
from tests.serving.nights import night as imagined
from tests.serving.pages import Page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tasks.report import NightSummary

Row = dict[str, Any]


@pytest.fixture(scope="module")
def small_night(
    tmp_path_factory: pytest.TempPathFactory, prefect: None, exchange: str
) -> tuple[Path, NightSummary]:
    """Run one night that promotes easily; return its home, and what it came to."""
    home = tmp_path_factory.mktemp("night") / "home"
    terms = {"ALPHA": 0.9, "WORLDS": 9, "STOP_AFTER": 9, "MIN_TRADES": 3}
    terms |= {"PERMUTATION_ALPHA": 0.99, "PERMUTATIONS": 2}
    values = {f"VETTING__{name}": value for name, value in terms.items()}
    values |= {"GENERATIONS": 2, "WORKERS": 1, "HOME": home, "SANDBOX_URL": exchange}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in values.items():
            patch.setenv(f"NIGHTJAR_{name}", str(value))
        # Nobody objects, so that there is something promoted to be found again.
        patch.setattr(weigh, "dissenting", lambda _: [])
        return home, nightly(**SMALL)


@pytest.fixture
def told(
    small_night: tuple[Path, NightSummary], monkeypatch: pytest.MonkeyPatch
) -> tuple[NightSummary, Page]:
    """Return what the night came to and its page, with its store as the one that is asked."""
    home, summary = small_night
    monkeypatch.setenv("NIGHTJAR_HOME", str(home))
    return summary, Page(Path(summary.report).read_text())


def outcome(row: Row) -> Iterator[str]:
    yield f"{row['promoted']} promoted {row['candidates']} candidates {decimal(row['best_score'])}"
    yield f"{odds(row['p_value'])} its p, {odds(row['alpha'])} promotes"
    yield f"{row['survivors']} w"  # was or were
    yield odds(row["permutation_p"])


def worlds(row: Row) -> Iterator[str]:
    yield f"luck did as well in {row['as_good']} of {row['worlds']} worlds"
    low, middle, high = (decimal(row[name], 1) for name in ("lowest", "middle", "highest"))
    yield f"the best scores go from {low} to {high}, half of them below {middle}."


def permuted(row: Row) -> Iterator[str]:
    if row["worlds"]:
        yield f"counts {row['worlds']} permuted world"
        yield f"They did as well in {row['as_good']}:"


def found(row: Row) -> Iterator[str]:
    yield f"Hurdle of luck {decimal(row['luck_hurdle'], 1)}"
    yield f"Smallest edge that is found {decimal(row['smallest_sharpe'], 1)}"
    yield f"at most {decimal(row['false_nights'], 1)} nights a year"
    yield f"± {decimal(row['spread'], 1)}"


def promotion(row: Row) -> Iterator[str]:
    yield row["rule_hash"]
    yield f"Candidate {row['strategy_id']}"
    yield f"Score {decimal(row['score'])}"
    yield f"p {odds(row['p_value'])}"
    yield f"p of permuted worlds {odds(row['permutation_p'])}"
    yield " ".join(row["text"].split())


def candidate(row: Row) -> Iterator[str]:
    yield f"Candidate {row['candidate_id']}"
    yield f"Score {decimal(row['score'])}"
    yield f"Return {percent(row['total_return'], signed=True)}"
    yield f"Sharpe ratio {decimal(row['sharpe'])}"
    yield f"Deepest fall {percent(row['max_drawdown'])}"
    yield f"Trades {count(row['trades'])}"


def opinion(row: Row) -> Iterator[str]:
    for one in json.loads(row["opinions"]):
        yield one["sentence"]


def curve(row: Row) -> Iterator[str]:
    grown = math.prod(1.0 + one for one in row["daily_returns"]) - 1.0
    yield f"candidate {percent(grown, signed=True)}"


def tried(row: Row) -> Iterator[str]:
    yield f"{ending(row['verdict'])} {count(row['trials'])}"


def amount(row: Row) -> Iterator[str]:
    yield f"tried {count(row['trials'])}"
    yield f"Distinct strategies {count(row['distinct_trials'])}"
    yield f"{row['strategies']} strategies were bred"
    yield f"Effective trials {about(row['effective_trials'])}"
    yield f"not proven {count(row['lookahead_refused'])}"
    if row["ledger"]:
        yield row["ledger"]


def on_paper(row: Row) -> Iterator[str]:
    yield f"{row['night'][:10]} {count(row['days'])} of "
    yield f" {percent(row['earned'], 2, signed=True)} "
    yield row["strategy_id"]
    yield row["status"]


def cohort(row: Row) -> Iterator[str]:
    yield f" {count(row['days'])} {percent(row['a_day'], 3, signed=True)} "
    yield decimal(row["sharpe"])


def data(row: Row) -> Iterator[str]:
    yield f"{row['symbol']} {count(row['bars'])}"


def manifest(row: Row) -> Iterator[str]:
    yield f"seed {row['seed']}"
    for name, value in json.loads(row["manifest"]).items():
        if not isinstance(value, dict):
            yield f"{name} {value}"
    for stage, took in json.loads(row["timings"]).items():
        yield f"{stage} {seconds(took)}"


PRINTED: dict[str, Callable[[Row], Iterator[str]]] = {
    "What the night came to": outcome,
    "In how many worlds luck did as well as the best": worlds,
    "The same in permuted worlds": permuted,
    "What a night like this can find": found,
    "What was promoted, and how paper trading will judge it": promotion,
    "The candidates, the nearest to a promotion first": candidate,
    "What the second opinions said": opinion,
    "The daily returns behind an equity curve": curve,
    "What was tried, and where the way of each trial ended": tried,
    "How much was tried, and how much it amounts to": amount,
    "The ledger after this night, chained to the night before": lambda row: iter([row["chain"]]),
    "How promotions do on paper": on_paper,
    "Whether promotion was worth more than rejection or chance": cohort,
    "The data that the night looked at": data,
    "The manifest: data, code and settings; and the seconds of each stage": manifest,
}
# A page shows so many at least, whatever was promoted.
MOST = {"The candidates, the nearest to a promotion first": 5}
# These show rows of which the page prints sums, or one here and there.
SUMMED = {"What the gates decided", "The backtests of the rules"}


def test_every_claim_says_what_the_page_prints_of_it() -> None:
    assert {claim.says for claim in claims(imagined())} == set(PRINTED) | SUMMED


def test_every_number_of_a_night_is_found_again_by_the_sql_that_its_page_shows(
    told: tuple[NightSummary, Page],
) -> None:
    summary, page = told
    shown = {tuple(shlex.split(block)) for block in page.blocks if block.startswith("nightjar sql")}
    asked = {query: sql(query) for *_, query in shown}
    assert len(asked) == len(PRINTED) + len(SUMMED)
    text = page.text.split("Check every claim")[0]
    says = claims_of(page)
    for claim, printed in PRINTED.items():
        for row in asked[says[claim]].head(MOST.get(claim, 1_000)).to_dicts():
            for phrase in printed(row):
                assert phrase in text, f"{claim}: {phrase}"
    check_the_gates(asked[says["What the gates decided"]], text)
    check_the_backtests(asked[says["The backtests of the rules"]], text)
    assert asked[says["What the night came to"]]["promoted"].item() == len(summary.promoted)
    assert summary.headline in page.text
    assert len(summary.promoted) > 1


def claims_of(page: Page) -> dict[str, str]:
    """Return the query that stands under each claim of a page."""
    section = page.html.split('id="claims"')[1].split("</section>")[0].partition(">")[2]
    told = Page(section)
    commands = [shlex.split(block)[-1] for block in told.blocks]
    said = [one.strip() for one in told.texts if one.strip() in set(PRINTED) | SUMMED]
    return dict(zip(said, commands, strict=True))


def check_the_gates(verdicts: pl.DataFrame, text: str) -> None:
    counted = verdicts.group_by("dataset").agg(
        pl.len().alias("batches"), pl.col("rows", "accepted").sum()
    )
    assert counted.height >= 5
    for row in counted.iter_rows():
        dataset, *numbers = row
        assert f"{dataset} {' '.join(count(number) for number in numbers)}" in text


def check_the_backtests(metrics: pl.DataFrame, text: str) -> None:
    assert metrics.height == 20
    assert set(metrics["symbol"]) <= set(SYMBOLS)
    best = sql("select members from candidates where rank = 1").item()[0].split()
    query = "select win_rate from backtests where strategy_id = ? and (symbol = ? or ? = '*')"
    for rate in sql(query, [best[0], best[1], best[1]])["win_rate"]:
        assert percent(rate) in text


def test_the_row_of_a_night_says_what_its_report_says(told: tuple[NightSummary, Page]) -> None:
    summary, _ = told
    row = sql("select * from nights").row(0, named=True)
    for name in (
        *("night", "alpha", "p_value", "permutation_p", "best_score", "smallest_sharpe"),
        *("effective_trials", "worlds", "permuted_worlds", "distinct_trials", "candidates"),
        *("ledger", "luck_hurdle", "trials", "strategies", "venue", "days"),
    ):
        assert row[name] == getattr(summary, name), name
    assert row["lookahead_refused"] == summary.refused
    assert len(row["null_scores"]) == row["worlds"] == summary.worlds > 0
    assert len(row["permuted_scores"]) == row["permuted_worlds"]
    assert sum(one >= row["best_score"] for one in row["null_scores"]) == summary.as_good
    assert row["p_value"] == (1 + summary.as_good) / (1 + summary.worlds)
    assert row["symbols"] == list(summary.symbols)
    assert sum(summary.verdicts.values()) == row["candidates"]
    assert row["survivors"] >= row["promoted"] == summary.verdicts.get("promoted", 0)
    assert summary.report.endswith(row["report"])
