"""The sources a person can name."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from core.errors import InvalidInput
from core.market import Span
from core.settings import Settings
from sources.registry import SOURCES, open_venue, pacer_of, source_named
from tests.sources.fakes import START


def test_every_source_has_a_name_a_kind_and_a_summary() -> None:
    assert set(SOURCES) == {"binance", "binance-archive", "sandbox", "files"}
    assert all(source_named(name).name == name and info.summary for name, info in SOURCES.items())
    assert [name for name, info in SOURCES.items() if info.needs_path] == ["files"]


def test_an_unknown_source_is_answered_with_the_known() -> None:
    with pytest.raises(InvalidInput, match="binance, binance-archive, files, sandbox, was 'mtgox'"):
        source_named("mtgox")


def test_a_venue_is_opened_with_its_own_address_and_key() -> None:
    settings = Settings(binance_url="http://b", sandbox_url="http://s", binance_api_key="k")
    span = Span("binance", "BTC-USDT", "1m", START, START)
    request = open_venue("binance", settings).request(span)
    assert request.url.host == "b"
    assert request.headers["x-mbx-apikey"] == SecretStr("k").get_secret_value()
    sandbox = open_venue("sandbox", settings)
    assert sandbox.name == "sandbox"
    assert sandbox.request(span).url.host == "s"
    assert "x-mbx-apikey" not in sandbox.request(span).headers


def test_a_source_of_files_is_no_venue() -> None:
    with pytest.raises(InvalidInput, match="over REST"):
        open_venue("files", Settings())


def test_venues_at_one_address_share_a_pacer() -> None:
    first = open_venue("sandbox", Settings(sandbox_url="http://one"))
    again = open_venue("sandbox", Settings(sandbox_url="http://one"))
    other = open_venue("sandbox", Settings(sandbox_url="http://two"))
    assert pacer_of(first) is pacer_of(again)
    assert pacer_of(first) is not pacer_of(other)
