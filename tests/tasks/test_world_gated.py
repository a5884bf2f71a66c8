"""What the providers beyond venues give passes the gates: answers as documented, and recorded."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import pytest

from expectations.gate import gate
from sources.provider import Wanted, stamped
from sources.voices.reddit import Reddit
from sources.world.coingecko import CoinGecko
from tests.sources.examples import EXAMPLES, IDS, NOW
from tests.sources.recordings import find

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from expectations.verdict import Verdict
    from sources.provider import Page, Provider
    from tests.sources.examples import Example
    from tests.sources.recordings import Recorded

WITH_ROWS = [(one, name) for one, name in zip(EXAMPLES, IDS, strict=True) if one.rows]
LIVE = datetime(2026, 1, 1, tzinfo=UTC)


def judged(dataset: str, rows: pl.DataFrame, provider: str, now: datetime) -> Verdict:
    return gate(dataset, stamped(dataset, rows, source=f"{provider}:rest", now=now), now=now)


@pytest.mark.parametrize(
    "example", [one for one, _ in WITH_ROWS], ids=[name for _, name in WITH_ROWS]
)
def test_an_answer_as_documented_passes_its_gate_without_a_warning(example: Example) -> None:
    verdict = judged(example.dataset, example.read().rows, example.provider, NOW)
    assert verdict.accepted.height == example.rows
    assert not verdict.warnings


def recorded_at(entry: Recorded) -> datetime:
    return parsedate_to_datetime(entry.headers["Date"])


def read(provider: Provider, dataset: str, entry: Recorded, wanted: Wanted) -> Page:
    feed = provider.feeds[dataset]
    return feed.read(entry.body, wanted, feed.request(wanted))


@pytest.mark.parametrize(
    ("cassette", "dataset", "subject", "start"),
    [
        ("a_coins_tickers", "tickers", "BTC", None),
        ("complete_current_data", "tickers", "BTC", None),
        ("exchange_tickers_from_an_exchange", "tickers", "binance", None),
        ("market_data_for_a_coin", "listings", None, None),
        ("daily_historical_prices_for_one_coin", "prices", "BTC-USD", LIVE),
        ("minutely_historical_prices_for_one_coin", "prices", "BTC-USD", LIVE),
    ],
)
def test_recordings_of_coingecko_pass_their_gates(
    real_data: Path, cassette: str, dataset: str, subject: str | None, start: datetime | None
) -> None:
    entry = find(real_data, f"coingecko/**/*{cassette}.yml")[0]
    wanted = Wanted(now=recorded_at(entry), subject=subject, start=start)
    rows = read(CoinGecko(), dataset, entry, wanted).rows
    verdict = judged(dataset, rows, "coingecko", wanted.now)
    assert verdict.passed
    assert verdict.accepted.height >= 0.95 * rows.height


@pytest.mark.parametrize("cassette", ["hot", "new", "comments"])
def test_recordings_of_reddit_pass_their_gate(real_data: Path, cassette: str) -> None:
    token, listing = find(real_data, f"reddit/**/TestSubredditListings.test_{cassette}.json")
    wanted = Wanted(now=recorded_at(listing), subject="askreddit")
    feed = Reddit().feeds["social_posts"]
    following = feed.read(token.body, wanted, feed.request(wanted)).following
    assert following is not None
    rows = feed.read(listing.body, wanted, following).rows
    verdict = judged("social_posts", rows, "reddit", wanted.now)
    assert verdict.accepted.height == rows.height >= 100
