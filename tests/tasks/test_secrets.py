"""Keys in Prefect's Secret blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from prefect.blocks.system import Secret

from core.settings import load
from tasks.secrets import block_name, with_secret_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = ("moralis", "binance", "glassnode", "coingecko")


@pytest.fixture
def _blocks(prefect: None) -> Iterator[None]:
    """Keep four keys in blocks, for as long as a test lasts."""
    for source in NAMES:
        Secret(value=f"canary-{source}").save(block_name(source), overwrite=True)
    yield
    for source in NAMES:
        Secret.delete(block_name(source))


@pytest.mark.usefixtures("_blocks")
def test_a_key_in_a_block_is_used_for_the_sources_that_are_asked_and_no_other() -> None:
    got = with_secret_blocks(load(), ["moralis", "binance", "kraken", "twitter"])
    assert got.moralis.key is not None
    assert got.moralis.key.get_secret_value() == "canary-moralis"
    assert got.binance_api_key is not None
    assert got.glassnode.key is None
    assert got.twitter.key is None
    assert "canary" not in repr(got)


@pytest.mark.usefixtures("_blocks")
def test_a_key_of_the_settings_is_over_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTJAR_COINGECKO__KEY", "own")
    got = with_secret_blocks(load(), ["routed"])
    assert got.coingecko.key is not None
    assert got.coingecko.key.get_secret_value() == "own"
