"""The mood of texts."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from research import sentiment
from research.lexicon import BAD, GOOD, LEXICON, PLAIN
from research.sentiment import FINBERT, moods

if TYPE_CHECKING:
    from collections.abc import Iterator

GOOD_NEWS = [
    "Bitcoin surges to a new ATH, bulls in control 🚀",
    "ETF approved! Massive inflows, very bullish",
    "SOL breakout, mooning",
    "Analysts say ETH is undervalued and adoption is growing",
]
BAD_NEWS = [
    "Bitcoin crashes after exchange hack!",
    "Rugpull: the team drained the pool, I got rekt",
    "Lender insolvent, files for bankruptcy",
    "Stablecoin depegged, liquidations everywhere, prices plunge",
]
NO_NEWS = [
    "Bitcoin is at 67,000",
    "Open interest is 5 billion",
    "The Fed cuts interest rates by 25 bp",
    "How do I set the gas limit?",
    "",
]


def test_good_news_is_good_and_bad_news_is_bad() -> None:
    assert min(moods(GOOD_NEWS)) > 0.3
    assert max(moods(BAD_NEWS)) < -0.3
    assert moods(NO_NEWS) == pytest.approx([0.0] * len(NO_NEWS), abs=0.1)


def test_a_word_turned_around_is_the_other_mood() -> None:
    bullish, bearish = moods(["I am bullish", "I am not bullish"])
    assert bullish > 0 > bearish


@given(st.lists(st.text(max_size=200), max_size=5))
def test_every_text_has_a_mood_within_bounds(texts: list[str]) -> None:
    found = moods(texts)
    assert len(found) == len(texts)
    assert all(-1 <= score <= 1 for score in found)


def test_a_very_long_text_is_read_to_a_bound() -> None:
    assert moods(["bullish " * 100_000])[0] == moods(["bullish " * 250])[0]


def test_our_words_are_in_bounds_and_in_one_list_each() -> None:
    assert not set(GOOD) & set(BAD)
    assert not (set(GOOD) | set(BAD)) & set(PLAIN)
    assert all(0 < value <= 4 for value in GOOD.values())
    assert all(-4 <= value < 0 for value in BAD.values())
    assert all(word == word.lower() and " " not in word for word in LEXICON)


@pytest.fixture
def fresh() -> Iterator[None]:
    sentiment._finbert.cache_clear()
    yield
    sentiment._finbert.cache_clear()


def test_finbert_is_good_less_bad(monkeypatch: pytest.MonkeyPatch, fresh: None) -> None:
    asked: list[Any] = []

    def pipeline(task: str, **options: Any) -> Any:
        asked.append((task, options))

        def classify(texts: list[str], **limits: Any) -> list[list[dict[str, Any]]]:
            asked.append(limits)
            return [
                [
                    {"label": "positive", "score": 0.7 if "up" in text else 0.1},
                    {"label": "negative", "score": 0.2},
                    {"label": "neutral", "score": 0.1},
                ]
                for text in texts
            ]

        return classify

    monkeypatch.setitem(sys.modules, "transformers", SimpleNamespace(pipeline=pipeline))
    assert moods(["up", "down"], "finbert") == pytest.approx([0.5, -0.1])
    assert moods(["up"], "finbert") == pytest.approx([0.5])
    loaded, first, second = asked
    assert loaded == ("text-classification", {"model": FINBERT, "top_k": None})
    assert first == second == {"truncation": True, "max_length": 512}


def test_finbert_without_its_extra_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, fresh: None
) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(InvalidInput, match="extra `finbert`"):
        moods(["up"], "finbert")


def test_an_unknown_model_is_answered_with_the_known() -> None:
    with pytest.raises(InvalidInput, match=r"vader, finbert, was 'guess'"):
        moods(["up"], "guess")
