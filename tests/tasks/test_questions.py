"""What is asked of whom, from the settings alone."""

from __future__ import annotations

import pytest

from core.datasets import DATASETS
from core.errors import InvalidInput
from core.settings import load
from sources.registry import SOURCES
from tasks.questions import LOOKBACK, Question, questions, sources_of, subjects_of

ONLINE = load(venue="binance")


def test_an_offline_desk_asks_only_the_sandbox() -> None:
    asked = questions(load(), ["tickers", "prices", "social_posts", "instruments"])
    assert {one.source for one in asked} == {"sandbox_coinbase", "sandbox_kraken", "sandbox_okx"}
    assert {one.dataset for one in asked} == {"tickers", "instruments"}


def test_an_online_desk_asks_the_venues_that_it_watches() -> None:
    settings = load(venue="binance", watch={"venues": "kraken,binance"}, symbols="ADA-USDT")
    assert questions(settings, ["tickers", "mark_prices"]) == [
        Question("kraken", "tickers", ("ADA-USDT",)),
        Question("binance", "tickers", ("ADA-USDT",)),
        Question("binance_perp", "mark_prices", ("ADA-USDT",)),
    ]


def test_prices_are_routed_and_the_rest_is_asked_of_all_who_give_it() -> None:
    assert sources_of("prices", ONLINE) == ["routed"]
    assert sources_of("listings", ONLINE) == ["coingecko", "coinmarketcap"]
    assert sources_of("social_posts", ONLINE) == ["twitter", "reddit", "lunarcrush"]


def test_a_source_that_is_named_is_asked_for_all_it_gives_but_candles() -> None:
    asked = questions(ONLINE, [], "kraken")
    assert [one.dataset for one in asked] == [
        "tickers",
        "market_trades",
        "order_books",
        "instruments",
        "venue_status",
    ]


def test_a_dataset_that_a_source_does_not_give_is_refused_with_those_it_gives() -> None:
    with pytest.raises(InvalidInput, match="datasets of reddit: social_posts, was tickers"):
        questions(ONLINE, ["tickers"], "reddit")


def test_subjects_that_a_person_names_are_asked_about() -> None:
    asked = questions(ONLINE, ["social_posts"], "reddit", ["solana"])
    assert asked == [Question("reddit", "social_posts", ("solana",))]


@pytest.mark.parametrize(
    ("source", "dataset"),
    [(name, given) for name, info in SOURCES.items() for given in info.gives if given != "candles"],
)
def test_there_is_something_to_ask_each_source_about(source: str, dataset: str) -> None:
    watched = subjects_of(dataset, source, ONLINE)
    assert watched or dataset == "wallet_balances"
    assert set(LOOKBACK) <= set(DATASETS)
