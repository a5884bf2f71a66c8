"""Every provider at a local server: asked, landed, judged, merged."""

from __future__ import annotations

import math
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from core.datasets import dataset_named
from core.errors import GateRefused
from core.receipts import Merge
from core.settings import load
from sources.base import Retry
from sources.http import open_client
from sources.line import all_lines, forget_lines
from sources.registry import SOURCES, line_of, open_provider
from storage import health, landing
from storage.lake import sql
from storage.store import Store
from tasks.asking import Asker, health_rows, standing_of
from tasks.gather import Window, gather
from tasks.questions import Question
from tasks.settle import settle_together
from tests.sources.examples import EXAMPLES, NOW, Example
from tests.sources.venues.serving import served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from expectations.verdict import Verdict


# Those after which nothing more is asked.
LAST = [example for example in EXAMPLES if example.read().following is None]


def test_every_provider_beyond_venues_is_asked_here() -> None:
    assert {example.provider for example in LAST} == {
        *(name for name, info in SOURCES.items() if "world" in str(info.made_by)),
        *(name for name, info in SOURCES.items() if "voices" in str(info.made_by)),
    }


@contextmanager
def asking(url: str, source: str) -> Iterator[Asker]:
    """Yield who asks `source` at `url`, with a key where it takes one, and as fast as it can."""
    forget_lines()
    keyed = {} if SOURCES[source].key == "none" else {"key": "canary:canary"}
    settings = load(**{source: {"url": url, **keyed}})
    line_of(open_provider(source, settings)).keep_to(0.0)
    with open_client(timeout=httpx.Timeout(2.0)) as client:
        yield Asker(settings, client, retry=Retry.at_once(1), clock=lambda: NOW)
    forget_lines()


def in_order(*bodies: bytes) -> Callable[[httpx.Request], httpx.Response]:
    """Return what answers its n-th request with the n-th body, and the last again and again."""
    left = list(bodies)

    def handle(request: httpx.Request) -> httpx.Response:
        body = left.pop(0) if len(left) > 1 else left[0]
        if b"csv" in request.url.raw_path or not body.lstrip().startswith((b"{", b"[")):
            return httpx.Response(200, headers={"content-type": "text/csv"}, content=body)
        return httpx.Response(200, headers={"content-type": "application/json"}, content=body)

    return handle


@pytest.mark.parametrize("example", LAST, ids=[example.name for example in LAST])
def test_what_a_provider_answers_is_stored_or_held_back_and_nothing_is_lost(
    example: Example, tmp_path: Path
) -> None:
    store = Store(tmp_path, str(tmp_path / "lake"))
    wanted = example.question
    question = Question(example.provider, example.dataset, (wanted.subject,))
    window = Window(wanted.start, wanted.end, wanted.interval)
    answers = in_order(*example.before, example.body)
    with served(answers) as url, asking(url, example.provider) as asker:
        found = gather(asker, question, window, NOW)
        assert found.notes == ()
        assert found.missing == ()
        assert found.rows.height >= example.rows
        assert [row["state"] for row in health_rows(asker.standing, NOW)] == ["up"]
    assert "canary" not in repr(found)
    if found.rows.is_empty():
        return
    receipt = landing.land(store, example.dataset, found.rows, source=example.provider, now=NOW)
    verdicts: list[Verdict] = []
    [merge] = settle_together(store, [receipt], NOW, show=verdicts.append)
    if isinstance(merge, GateRefused):  # an example of one row, and that one is held back
        assert verdicts[0].quarantined.height == found.rows.height
        return
    assert isinstance(merge, Merge)
    assert merge.inserted + merge.quarantined == found.rows.height
    kept = sql(f"select source from {example.dataset}", store=store)
    assert set(kept["source"]) <= {f"{example.provider}:rest"}


def test_a_source_without_its_key_is_a_note_and_not_a_failure() -> None:
    with open_client() as client:
        asker = Asker(load(), client)
        found = gather(asker, Question("moralis", "prices", ("LINK-USD",)), Window(), NOW)
    assert found.missing == ()
    (note,) = found.notes
    assert note.startswith("prices of moralis skipped: moralis needs a key: set moralis.key")


def test_where_nothing_is_watched_nobody_is_asked() -> None:
    with open_client() as client:
        found = gather(
            Asker(load(), client), Question("helius", "wallet_balances", ()), Window(), NOW
        )
    assert found.notes == ("wallet_balances of helius: nothing is watched",)


def test_a_source_that_is_down_is_asked_once_and_all_its_subjects_are_named() -> None:
    asked = []

    def down(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(503)

    question = Question("kraken", "tickers", ("BTC-USD", "ETH-USD", "SOL-USD"))
    with served(down) as url, asking(url, "kraken") as asker:
        found = gather(asker, question, Window(), NOW)
        assert all_lines()["kraken"].take().failures == 1
    assert len(asked) == 1
    assert [line.split(" (")[0] for line in found.missing] == [
        f"tickers of kraken: {symbol}" for symbol in ("BTC-USD", "ETH-USD", "SOL-USD")
    ]


def test_prices_come_from_the_first_tier_that_has_one_and_say_which() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/price/"):  # Jupiter
            return httpx.Response(500)
        if request.url.path.startswith("/tokens/"):  # DexScreener
            return httpx.Response(200, json=[])
        return httpx.Response(200, json=PRICE)

    with served(answer) as url:
        forget_lines()
        settings = load(**{name: {"url": url} for name in ("jupiter", "dexscreener", "coingecko")})
        for name in ("jupiter", "dexscreener", "coingecko"):
            line_of(open_provider(name, settings)).keep_to(0.0)
        with open_client() as client:
            asker = Asker(settings, client, retry=Retry.at_once(1), clock=lambda: NOW)
            question = Question("routed", "prices", ("SOL-USD",))
            found = gather(asker, question, Window(), NOW)
            assert found.missing == ()
            assert found.rows["source"].to_list() == ["coingecko:rest#3"]
            for _ in range(2):
                gather(asker, question, Window(), NOW)
            states = {row["provider"]: row["state"] for row in health_rows(asker.standing, NOW)}
        forget_lines()
    assert states == {"jupiter": "set_aside", "dexscreener": "up", "coingecko": "up"}


PRICE = {
    "solana": {
        "usd": 171.25,
        "usd_market_cap": 80_000_000_000,
        "usd_24h_vol": 3_000_000_000,
        "last_updated_at": math.floor(NOW.timestamp()) - 20,
    }
}


def test_the_next_run_knows_who_was_set_aside(tmp_path: Path) -> None:
    store = Store(tmp_path, str(tmp_path / "lake"))
    row = dict.fromkeys(dataset_named("source_health").columns)
    counts = {"requests": 3, "failures": 3, "limited": 0}
    health.note(store, [row | counts | {"provider": "jupiter", "state": "set_aside"}], now=NOW)
    later = NOW + timedelta(minutes=119)
    assert standing_of(load(), store, later).aside_until("jupiter", later) is not None
    later += timedelta(minutes=2)
    assert standing_of(load(), store, later).aside_until("jupiter", later) is None


def test_nobody_serves_where_all_are_down_and_each_is_named() -> None:
    nobody = {"url": "http://127.0.0.1:9"}
    forget_lines()
    with open_client() as client:
        settings = load(jupiter=nobody, dexscreener=nobody, coingecko=nobody)
        asker = Asker(settings, client, retry=Retry.at_once(1), clock=lambda: NOW)
        found = gather(asker, Question("routed", "prices", ("SOL-USD",)), Window(), NOW)
    forget_lines()
    assert found.rows.is_empty()
    assert all(name in found.missing[0] for name in ("jupiter", "dexscreener", "coingecko"))
