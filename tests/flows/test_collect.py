"""Collecting anything but candles, end to end, with and without keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

import nightjar
from core.errors import CollectionIncomplete
from flows.collect import collect
from sources.line import forget_lines
from storage.lake import sql
from tests.sources.venues.serving import served

if TYPE_CHECKING:
    from pathlib import Path


def test_an_offline_desk_collects_from_the_sandbox_and_says_whom_it_left_alone(
    desk: Path,
) -> None:
    forget_lines()
    summary = collect(["tickers", "instruments", "venue_status"])
    assert summary.failed == ()
    venues = {"sandbox_coinbase", "sandbox_kraken", "sandbox_okx"}
    assert set(sql("select distinct venue from tickers")["venue"]) == venues
    assert sql("select count(*) from instruments").item() == 3 * 8
    health = sql("select provider, state, requests from source_health order by provider")
    assert health["provider"].to_list() == sorted(venues)
    assert set(health["state"]) == {"up"}

    quiet = collect(["prices"])
    assert quiet.notes == ("this desk is offline (venue = sandbox): nobody was asked",)
    assert quiet.merges == ()

    skipped = collect(["listings"], source="coinmarketcap")
    assert "set coinmarketcap.key" in skipped.notes[0]


def test_the_command_collects_what_a_source_gives_and_names_what_is_missing(
    desk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    forget_lines()

    def answer(request: httpx.Request) -> httpx.Response:
        if "vs_currencies" not in request.url.params:
            return httpx.Response(404, json={"error": "coin not found"})
        return httpx.Response(200, json={"bitcoin": {"usd": 67_000.5, "last_updated_at": 1}})

    with served(answer) as url:
        monkeypatch.setenv("NIGHTJAR_COINGECKO__URL", url)
        command = ["ingest", "--source", "coingecko", "--symbols", "BTC", "--json"]
        assert nightjar.run([*command, "--dataset", "listings"]) == 1
        assert "coin not found" in capsys.readouterr().err
        with pytest.raises(CollectionIncomplete, match="listings of coingecko: BTC"):
            collect(["listings"], source="coingecko", subjects=["BTC"])
    forget_lines()
