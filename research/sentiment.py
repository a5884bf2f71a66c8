"""The mood of texts, from -1 (bad) to 1 (good).

VADER (Hutto and Gilbert 2014, doi:10.1609/icwsm.v8i1.14550) counts words by a lexicon, ours added,
and is quick. FinBERT (Araci 2019, arXiv:1908.10063) is a language model that was trained on news
of finance; it needs the extra `finbert`, and its weights.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from core.errors import InvalidInput
from research.lexicon import LEXICON

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Judge = Callable[[Sequence[str]], list[float]]

FINBERT = "ProsusAI/finbert"
MOST_CHARACTERS = 2_000  # of one text; what is beyond is read by nobody, and slow
TOKENS = 512  # the most that FinBERT reads


def moods(texts: Sequence[str], model: str = "vader") -> list[float]:
    """Return the mood of each text.

    Raises:
        InvalidInput: no such model, or FinBERT without its extra.
    """
    judges: dict[str, Callable[[], Judge]] = {"vader": _vader, "finbert": _finbert}
    if model not in judges:
        raise InvalidInput(f"expected a model of {', '.join(judges)}, was {model!r}")
    if not texts:
        return []
    found = judges[model]()([text[:MOST_CHARACTERS] for text in texts])
    return [min(1.0, max(-1.0, score)) for score in found]


@cache
def _vader() -> Judge:
    from vaderSentiment.vaderSentiment import (  # type: ignore[import-untyped]  # noqa: PLC0415 - takes half a second
        SentimentIntensityAnalyzer,
    )

    analyzer = SentimentIntensityAnalyzer()
    analyzer.lexicon.update(LEXICON)

    def judge(texts: Sequence[str]) -> list[float]:
        return [float(analyzer.polarity_scores(text)["compound"]) for text in texts]

    return judge


@cache
def _finbert() -> Judge:
    try:
        transformers = import_module("transformers")
    except ImportError:
        raise InvalidInput(
            "expected the extra `finbert` (pip install nightjar[finbert]), was not installed"
        ) from None
    pipeline: Any = transformers.pipeline("text-classification", model=FINBERT, top_k=None)

    def judge(texts: Sequence[str]) -> list[float]:
        found = pipeline(list(texts), truncation=True, max_length=TOKENS)
        return [_balance(labels) for labels in found]

    return judge


def _balance(labels: Sequence[dict[str, Any]]) -> float:
    """Return how much more likely good is than bad."""
    shares = {str(label["label"]).lower(): float(label["score"]) for label in labels}
    return shares.get("positive", 0.0) - shares.get("negative", 0.0)
