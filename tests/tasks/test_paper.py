"""Paper trading on a store of its own: who is followed, which days are added, what ends them."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import polars as pl
import pytest
from prefect import flow

from core.datasets import CANDIDATES, CANDLES, PAPER, PROMOTIONS, TRIALS
from core.environment import LOGGER
from core.settings import Settings
from research.backtest import backtest
from research.book import book_of
from research.costs import Costs
from research.paper import Plan, rule_hash
from research.strategy import Strategy
from storage import hot
from storage.lake import sql
from storage.store import Store, default_store
from tasks.cohorts import followed, plan_of
from tasks.nightly import Night, Question
from tasks.paper import follow_paper, paper_days
from tests.research.markets import frame_of, random_bars

if TYPE_CHECKING:
    from collections.abc import Iterator

START = datetime(2026, 1, 1, tzinfo=UTC)  # of the bars, of which there are 14 days
PROMOTED_AT = datetime(2026, 1, 4, 3, tzinfo=UTC)
DAY = timedelta(days=1)
SYMBOLS = ("AA-X", "BB-X")
ONE = Strategy.parse("long when close > open\nexit when close < open\nstop 2%\non 15m")
TWO = Strategy.parse("short when crosses_below(ema(5), ema(20))\ntimeout 2h\non 5m")
RULES = [
    Strategy.parse(f"long when rsi({n}) < 40\nexit when rsi({n}) > 60\non 5m") for n in range(5, 17)
]
SETTINGS = Settings()
COSTS = Costs(**SETTINGS.costs.model_dump())
SEEN = [0.001, -0.002, 0.003]  # returns of a window


def night_at(as_of: datetime, name: str | None = None) -> Night:
    question = Question(
        as_of=as_of,
        venue="sandbox",
        symbols=(),
        interval="1m",
        days=2,
        strategies=5,
        generations=2,
        seed=1,
        costs=SETTINGS.costs,
        vetting=SETTINGS.vetting,
        workers=1,
    )
    return Night(name or f"{as_of:%Y-%m-%dT%H%M}-cafe", question, SYMBOLS, {}, as_of)


TONIGHT = night_at(PROMOTED_AT)


@pytest.fixture(scope="module")
def bars() -> pl.DataFrame:
    frames = [
        frame_of(random_bars(seed, 14 * 1_440, wild=0.0005), symbol=symbol)
        for seed, symbol in enumerate(SYMBOLS)
    ]
    return CANDLES.conform(
        pl.concat(frames).with_columns(
            venue=pl.lit("sandbox"),
            interval=pl.lit("1m"),
            quote_volume=pl.lit(None),
            trades=pl.lit(None),
            taker_buy_volume=pl.lit(None),
            synthetic=pl.lit(value=False),
            source=pl.lit("test"),
            ingested_at=pl.lit(START),
        )
    )


@pytest.fixture
def store(bars: pl.DataFrame) -> Store:
    """Return the store of the settings, with all the bars."""
    found = default_store()
    hot.put(found, "candles", bars, now=START)
    return found


def promotion(night: Night = TONIGHT, *members: tuple[Strategy, str], **changes: Any) -> None:
    """Store a promotion of a night."""
    members = members or ((ONE, "AA-X"),)
    text = members[0][0].text
    if len(members) > 1:
        text = "\n\n".join(f"[{symbol}]\n{rule.text}" for rule, symbol in members)
    names = [f"{rule.id} {symbol}" for rule, symbol in members]
    plan = changes.pop("plan", plan_of(night, SEEN, mean=0.0))
    row = dict.fromkeys(PROMOTIONS.columns) | {
        "night": night.night,
        "strategy_id": members[0][0].id,
        "venue": "sandbox",
        "symbol": members[0][1] if len(members) == 1 else "*",
        "kind": "rule",
        "text": text,
        "members": names,
        "sharpe": 3.0,
        "rule_hash": rule_hash(text, names, plan.costs),
        "plan": msgspec.json.encode(plan).decode(),
        "status": "running",
        "promoted_at": night.question.as_of,
        "source": "test",
        "ingested_at": night.question.as_of,
    }
    frame = pl.DataFrame([row | changes], schema=PROMOTIONS.schema)
    hot.put(default_store(), PROMOTIONS.name, frame, now=PROMOTED_AT)


def searched(night: Night = TONIGHT, trades: int = 40) -> None:
    """Store what a night tried and what it rejected."""
    common = {"night": night.night, "venue": "sandbox", "symbol": "AA-X", "trades": trades}
    common |= {"daily_returns": SEEN, "first_day": START, "scored_at": night.question.as_of}
    common |= {"source": "test", "ingested_at": night.question.as_of, "score": 1.0, "sharpe": 1.0}
    trials = [
        {"strategy_id": rule.id, "text": rule.text, "parents": [], "verdict": "not_above_luck"}
        for rule in RULES
    ]
    tried = pl.DataFrame([common | trial for trial in trials], schema=TRIALS.schema)
    hot.put(default_store(), TRIALS.name, tried, now=PROMOTED_AT)
    verdicts = ["promoted", "not_chosen", "held_back", "permutation_explains", "not_above_luck"]
    candidates = [
        {
            "candidate_id": rule.id,
            "text": rule.text,
            "members": [f"{rule.id} AA-X"],
            "rank": rank + 1,
            "verdict": verdicts[min(rank, 4)],
        }
        for rank, rule in enumerate(RULES)
    ]
    found = pl.DataFrame([common | one for one in candidates], schema=CANDIDATES.schema)
    hot.put(default_store(), CANDIDATES.name, found, now=PROMOTED_AT)


def follow(store: Store, night: Night) -> pl.DataFrame:
    """Do what the step does, without Prefect."""
    frame = paper_days(store, night)
    hot.put(store, PAPER.name, frame, now=night.question.as_of)
    return frame


def stored(cohort: str = "promoted") -> pl.DataFrame:
    return sql(
        "from paper where cohort = $cohort order by night, strategy_id, day",
        {"cohort": cohort},
        store=default_store(),
    )


def expected(bars: pl.DataFrame, rule: Strategy, symbol: str, days: int) -> np.ndarray:
    """Return the days after the promotion of a backtest that began where the night's did."""
    since = PROMOTED_AT - 2 * DAY
    own = bars.filter(pl.col("symbol") == symbol, pl.col("open_time") >= since)
    equity = backtest(own, [rule], COSTS).equity
    after = equity.filter(pl.col("day") > PROMOTED_AT.date())
    return after["return"].to_numpy()[:days]


def test_a_promotion_is_opened_on_its_night_and_gets_a_day_each_night_after(
    store: Store, bars: pl.DataFrame
) -> None:
    promotion()
    follow(store, TONIGHT)
    (opening,) = stored().to_dicts()
    assert (opening["day"], opening["equity"], opening["bars"]) == (START + 3 * DAY, 1.0, 0)
    for number in range(1, 4):
        follow(store, night_at(PROMOTED_AT + number * DAY))
    rows = stored()
    assert rows["day"].to_list() == [START + (3 + n) * DAY for n in range(3)]
    assert rows["plan"].is_null().to_list() == [False, True, True]
    returns = expected(bars, ONE, "AA-X", 2)
    assert np.count_nonzero(returns) == 2
    assert rows["return"].to_list() == [0.0, *returns.tolist()]
    assert rows["equity"].to_list() == pytest.approx([1.0, *np.cumprod(1 + returns)])
    assert rows["bars"].to_list() == [0, 1_440, 1_440]
    assert rows["paper_night"].to_list()[2] == night_at(PROMOTED_AT + 3 * DAY).night


def test_nights_that_were_left_out_make_no_difference(store: Store) -> None:
    promotion()
    for number in range(4):
        follow(store, night_at(PROMOTED_AT + number * DAY))
    daily = stored().drop("paper_night", "ingested_at")
    with_gaps = Store(store.home.with_name("other"), f"{store.home.with_name('other')}/lake")
    for name in ("candles", "promotions"):
        hot.put(with_gaps, name, sql(f"from {name}", store=store), now=START)
    for number in (2, 3):
        follow(with_gaps, night_at(PROMOTED_AT + number * DAY))
    at_once = sql("from paper order by day", store=with_gaps).drop("paper_night", "ingested_at")
    assert at_once.equals(daily)


def test_the_same_night_again_adds_nothing(store: Store) -> None:
    promotion()
    searched()
    for number in (0, 3):
        again = night_at(PROMOTED_AT + number * DAY)
        assert follow(store, again).height > 0
        assert follow(store, again).is_empty()


def test_a_day_is_added_only_when_a_bar_of_the_next_is_there(store: Store) -> None:
    promotion()
    midnight = datetime(2026, 1, 8, tzinfo=UTC)
    follow(store, night_at(midnight))
    assert stored()["day"].max() == midnight - 2 * DAY
    follow(store, night_at(midnight + timedelta(minutes=1)))
    assert stored()["day"].max() == midnight - DAY


def test_a_pooled_rule_and_a_portfolio_hold_equal_stakes(store: Store, bars: pl.DataFrame) -> None:
    promotion(TONIGHT, (TWO, "*"))
    promotion(TONIGHT, (ONE, "AA-X"), (TWO, "*"))
    follow(store, night_at(PROMOTED_AT + 5 * DAY))
    pooled = np.mean([expected(bars, TWO, symbol, 4) for symbol in SYMBOLS], axis=0)
    both = np.mean([expected(bars, ONE, "AA-X", 4), pooled], axis=0)
    rows = stored().filter(pl.col("plan").is_null())
    found = {
        name: part["return"].to_list()
        for (name,), part in rows.group_by("strategy_id", maintain_order=True)
    }
    assert found[TWO.id] == pytest.approx(pooled.tolist())
    assert found[ONE.id] == pytest.approx(both.tolist())
    assert rows["bars"].unique().to_list() == [2 * 1_440]


def test_the_plan_ends_it_and_then_nothing_is_added(store: Store) -> None:
    short = msgspec.structs.replace(plan_of(TONIGHT, SEEN, mean=0.0), horizon_days=3)
    promotion(plan=msgspec.structs.replace(short, forecast_sd=9.0))
    for number in (0, 2, 5, 8):
        follow(store, night_at(PROMOTED_AT + number * DAY))
    assert stored()["status"].to_list() == ["running"] * 3 + ["rejected"]


def test_below_its_kill_line_it_is_killed_at_once_and_followed_to_its_end(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    hopeless = plan_of(TONIGHT, SEEN, mean=0.5)
    promotion(plan=msgspec.structs.replace(hopeless, horizon_days=4, forecast_sd=0.001))
    with caplog.at_level(logging.WARNING, LOGGER):
        for number in (0, 2, 3, 8):
            follow(store, night_at(PROMOTED_AT + number * DAY))
    assert stored()["status"].to_list() == ["running"] + ["killed"] * 4
    (standing,) = book_of(stored()).standings
    assert (standing.status, standing.days) == ("killed", 1)
    assert caplog.messages == [f"{ONE.id} of night {TONIGHT.night} is killed"]


def test_costs_are_those_of_the_promotion_and_not_of_tonight(
    store: Store, bars: pl.DataFrame
) -> None:
    promotion()
    dear = msgspec.structs.replace(
        night_at(PROMOTED_AT + 5 * DAY).question,
        costs=SETTINGS.costs.model_copy(update={"fee_bps": 500.0}),
    )
    follow(store, msgspec.structs.replace(night_at(PROMOTED_AT + 5 * DAY), question=dear))
    assert stored()["return"].to_list()[1:] == expected(bars, ONE, "AA-X", 4).tolist()


def test_a_promotion_without_a_plan_or_of_another_venue_or_of_later_is_left_alone(
    store: Store,
) -> None:
    promotion(venue="kraken")
    promotion(night_at(PROMOTED_AT + 9 * DAY))
    older = sql("from promotions", store=store).head(1)
    older = older.with_columns(
        night=pl.lit("old"), venue=pl.lit("sandbox"), plan=pl.lit(None, pl.String())
    )
    hot.put(store, "promotions", PROMOTIONS.conform(older), now=START)
    assert follow(store, night_at(PROMOTED_AT + 5 * DAY)).is_empty()


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("update hot.promotions set text = replace(text, '2%', '3%')", "was changed"),
        ("update hot.promotions set members = ['0123456789abcdef AA-X']", "was changed"),
        (
            """update hot.promotions set plan = replace(plan, '"fee_bps":10.0', '"fee_bps":0.0')""",
            "was changed",
        ),
        (
            """update hot.promotions set plan = replace(plan, '"level":0.05', '"level":0.5')""",
            "is not what was promoted",
        ),
        (
            """update hot.paper set plan = replace(plan, '"level":0.05', '"level":0.5')""",
            "is not what was promoted",
        ),
    ],
)
def test_what_was_changed_after_its_promotion_is_said_and_not_followed(
    store: Store, caplog: pytest.LogCaptureFixture, statement: str, says: str
) -> None:
    from storage.hot_file import opened

    promotion()
    follow(store, TONIGHT)
    with opened(store, now=START) as con:
        con.execute(statement)
    with caplog.at_level(logging.ERROR, LOGGER):
        assert follow(store, night_at(PROMOTED_AT + 5 * DAY)).is_empty()
    assert says in caplog.text


# Those that were not promoted.


def cohorts() -> dict[str, int]:
    rows = sql("from paper where plan is not null", store=default_store())
    return dict(rows["cohort"].value_counts().iter_rows())


@pytest.fixture
def _few(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("NIGHTJAR_PAPER__REJECTED", "4")
    monkeypatch.setenv("NIGHTJAR_PAPER__RANDOM", "5")
    return


@pytest.mark.usefixtures("_few")
def test_the_best_rejected_and_some_at_random_are_followed_beside(store: Store) -> None:
    searched()
    follow(store, TONIGHT)
    assert cohorts() == {"rejected": 4, "random": 5}
    best = sorted(rule.id for rule in RULES[2:6])  # ranks 1 and 2 passed the test against luck
    assert stored("rejected")["strategy_id"].to_list() == best
    plan = followed(store, "sandbox")[0].frozen.plan
    assert (plan.kill_sigma, plan.forecast_mean) == (None, pytest.approx(np.mean(SEEN)))
    follow(store, night_at(PROMOTED_AT + 5 * DAY))
    assert {part.height for _, part in stored("random").group_by("strategy_id")} == {5}


@pytest.mark.usefixtures("_few")
def test_who_is_drawn_at_random_is_decided_by_the_nights_seed(store: Store) -> None:
    searched()
    first = paper_days(store, TONIGHT)
    assert paper_days(store, TONIGHT).drop("ingested_at").equals(first.drop("ingested_at"))
    other = msgspec.structs.replace(
        TONIGHT, question=msgspec.structs.replace(TONIGHT.question, seed=2)
    )
    drawn = [
        set(frame.filter(pl.col("cohort") == "random")["strategy_id"])
        for frame in (first, paper_days(store, other))
    ]
    assert drawn[0] != drawn[1]


@pytest.mark.usefixtures("_few")
def test_what_hardly_traded_is_not_drawn(store: Store) -> None:
    searched(trades=SETTINGS.vetting.min_trades - 1)
    follow(store, TONIGHT)
    assert cohorts() == {"rejected": 4}


@pytest.mark.usefixtures("_few")
def test_comparisons_begin_once_a_week_and_on_every_night_that_promotes(store: Store) -> None:
    for number in (0, 1, 4, 10, 11):
        night = night_at(PROMOTED_AT + number * DAY)
        searched(night)
        if number == 4:
            promotion(night)
        follow(store, night)
    begun = sql("select distinct night from paper where cohort = 'random' order by 1", store=store)
    days = [night_at(PROMOTED_AT + number * DAY).night for number in (0, 4, 11)]
    assert begun["night"].to_list() == days


def test_none_are_followed_where_the_settings_say_so(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NIGHTJAR_PAPER__REJECTED", "0")
    monkeypatch.setenv("NIGHTJAR_PAPER__RANDOM", "0")
    searched()
    assert follow(store, TONIGHT).is_empty()


def test_the_plan_of_a_promotion_comes_from_the_settings_and_the_night(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NIGHTJAR_PAPER__HORIZON_DAYS", "60")
    found = plan_of(TONIGHT, SEEN, mean=0.0005)
    assert found == Plan(
        horizon_days=60,
        level=0.05,
        kill_sigma=2.0,
        forecast_mean=0.0005,
        forecast_sd=float(np.std(SEEN, ddof=1)),
        costs=COSTS,
        symbols=SYMBOLS,
        since=PROMOTED_AT - 2 * DAY,
    )


def test_the_step_gates_and_saves_what_it_found(store: Store, prefect: None) -> None:
    promotion()
    searched()
    step = flow(lambda: follow_paper(night_at(PROMOTED_AT + 3 * DAY)), name="paper")
    receipt = step()
    assert receipt.rows == sql("select count(*) from paper", store=store).item() > 0
    verdicts = sql("select passed from verdicts where dataset = 'paper'", store=store)
    assert verdicts["passed"].to_list() == [True]
    assert "1 killed" in (store.reports / "desk-sandbox.html").read_text()
    assert step().rows == 0
