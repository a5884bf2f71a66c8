"""The sources a person can name."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from core.datasets import DATASETS
from core.errors import InvalidInput, KeyMissing
from core.market import Span
from core.settings import Settings, load
from sources.registry import (
    SOURCES,
    key_of,
    line_of,
    open_provider,
    open_venue,
    source_named,
    url_of,
)
from tests.sources.fakes import START


def test_every_source_has_a_name_a_kind_and_a_summary() -> None:
    assert {"binance", "binance-archive", "sandbox", "files"} <= set(SOURCES)
    assert all(source_named(name).name == name and info.summary for name, info in SOURCES.items())
    assert [name for name, info in SOURCES.items() if info.needs_path] == ["files"]


def test_every_source_gives_datasets_that_exist_and_can_be_gated() -> None:
    for info in SOURCES.values():
        assert info.gives
        assert set(info.gives) <= set(DATASETS)


@pytest.mark.parametrize("name", [name for name, info in SOURCES.items() if info.kind == "rest"])
def test_a_source_gives_what_its_class_has_feeds_for(name: str) -> None:
    info = SOURCES[name]
    provider = open_provider(name, with_key(name))
    feeds = set(getattr(provider, "feeds", ()))
    bars = {"candles"} if hasattr(provider, "page_bars") else set()
    assert feeds | bars == set(info.gives)
    assert provider.name == name
    assert provider.per_second > 0
    assert "canary" not in repr(provider) + repr(vars(provider))


def with_key(name: str) -> Settings:
    setting = SOURCES[name].key_setting
    if setting is None:
        return Settings()
    group, _, field = setting.partition(".")
    return load(**{group: {field: "canary:canary"} if field else "canary"})


@pytest.mark.parametrize("name", [name for name, info in SOURCES.items() if info.key == "needed"])
def test_a_source_without_its_key_says_which_setting_it_lacks(name: str) -> None:
    with pytest.raises(KeyMissing, match=f"set {name}.key .or NIGHTJAR_{name.upper()}__KEY"):
        open_provider(name, Settings())


def test_every_setting_of_a_key_can_be_set() -> None:
    for name, info in SOURCES.items():
        if info.kind == "rest":
            url_of(name, Settings())
            key_of(info, with_key(name))


def test_a_venue_of_ccxt_is_a_source_by_its_id() -> None:
    assert "bitstamp" not in SOURCES
    info = source_named("bitstamp")
    assert (info.name, info.gives) == ("bitstamp", ("candles", "instruments"))
    settings = load(ccxt={"url": "http://127.0.0.1:1"})
    venue = open_provider("bitstamp", settings)
    assert venue.name == "bitstamp"
    assert url_of("bitstamp", settings) == "http://127.0.0.1:1"
    assert line_of(venue) is line_of(open_provider("bitstamp", settings))


def test_an_unknown_source_is_answered_with_the_known() -> None:
    with pytest.raises(InvalidInput, match=r"binance, .*sandbox.*, was 'mtgox'"):
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


def test_venues_at_one_address_share_a_line() -> None:
    first = open_venue("sandbox", Settings(sandbox_url="http://one"))
    again = open_venue("sandbox", Settings(sandbox_url="http://one"))
    other = open_venue("sandbox", Settings(sandbox_url="http://two"))
    assert line_of(first) is line_of(again)
    assert line_of(first) is not line_of(other)
