"""Recorded answers of chains and tables of indices, beside values found in another way."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from core.clock import parse_utc
from core.errors import SourceMalformed
from sources.provider import Wanted
from sources.world.moralis import Moralis
from sources.world.price_csv import read_csv
from sources.world.solana import Helius
from tests.sources.recordings import find

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 6, 21, 20, 29, 16, tzinfo=UTC)
RPC = "solana_rpc/**/"


def test_solana_accounts_of_two_addresses(real_data: Path) -> None:
    health, accounts = find(real_data, f"{RPC}test_solana_balances*.yaml")
    addresses = re.findall(r"[1-9A-HJ-NP-Za-km-z]{40,44}", accounts.sent)
    feed = Helius().feeds["wallet_balances"]
    wanted = Wanted(now=NOW, subject=",".join(addresses))
    page = feed.read(accounts.body, wanted, feed.request(wanted))
    assert page.rows.select("address", "account", "token").rows() == [
        (address, address, "native") for address in addresses
    ]
    lamports = re.findall(rb'"lamports":([0-9]+)', accounts.body)
    assert page.rows["raw_amount"].to_list() == [text.decode() for text in lamports]
    assert page.rows["amount"].to_list() == [3.063908962, 0.564503502]
    assert page.rows["slot"].unique().to_list() == [406_145_854]
    assert page.following is not None
    with pytest.raises(SourceMalformed):
        feed.read(health.body, wanted, feed.request(wanted))


def test_solana_transactions_of_an_address_by_time(real_data: Path) -> None:
    _, signatures = find(real_data, f"{RPC}test_query_signatures_for_address.yaml")
    told = signatures.json()["result"]
    newest, oldest = told[0]["blockTime"], told[-1]["blockTime"]
    address = re.findall(r'\["([1-9A-HJ-NP-Za-km-z]{40,44})"', signatures.sent)[0]
    feed = Helius().feeds["wallet_balances"]
    middle = datetime.fromtimestamp((newest + oldest) // 2, UTC)
    wanted = Wanted(now=NOW, subject=address, start=middle)
    request = feed.request(wanted)
    page = feed.read(signatures.body, wanted, request)
    chosen = [one["signature"] for one in told if one["blockTime"] >= middle.timestamp()]
    assert page.rows.is_empty()
    assert 0 < len(chosen) < len(told)
    assert page.following is not None
    assert [*re.findall(chosen[0], page.following.content.decode())] == [chosen[0]]
    assert page.following.extensions["signatures"] == chosen[1:]
    before = Wanted(now=NOW, subject=address, start=datetime(2009, 1, 1, tzinfo=UTC), end=middle)
    following = feed.read(signatures.body, before, request).following
    assert following is not None
    older = [one["signature"] for one in told if one["blockTime"] < middle.timestamp()]
    assert following.extensions["signatures"] == older[1:]


@pytest.mark.parametrize("cassette", ["*spl_token_transfer*", "*query_tx_from_rpc*", "*route_v2*"])
def test_solana_balances_after_a_transaction(real_data: Path, cassette: str) -> None:
    entry = find(real_data, f"{RPC}{cassette}.yaml")[1]
    told = entry.json()["result"]
    meta, keys = told["meta"], told["transaction"]["message"]["accountKeys"]
    payer = keys[0]
    owners = {one["owner"] for one in meta["postTokenBalances"]} | {payer}
    for owner in owners:
        rows = balances_after(entry.body, owner)
        assert set(rows["time"]) == {datetime.fromtimestamp(told["blockTime"], UTC)}
        assert set(rows["slot"]) == {told["slot"]}
        tokens = rows.filter(pl.col("token") != "native")
        mine = [one for one in meta["postTokenBalances"] if one["owner"] == owner]
        assert tokens["token"].to_list() == [one["mint"] for one in mine]
        assert tokens["amount"].to_list() == [
            float(one["uiTokenAmount"]["uiAmountString"]) for one in mine
        ]
    # What the payer lost beyond the fee is what others got.
    native = balances_after(entry.body, payer).filter(pl.col("token") == "native")
    assert int(native["raw_amount"][0]) == meta["postBalances"][0]
    assert sum(meta["preBalances"]) - meta["fee"] == sum(meta["postBalances"])


def balances_after(body: bytes, owner: str) -> pl.DataFrame:
    """Read a transaction as the second answer to a question about `owner`."""
    feed = Helius().feeds["wallet_balances"]
    wanted = Wanted(now=NOW, subject=owner, start=datetime(2020, 1, 1, tzinfo=UTC))
    listed = b'{"jsonrpc":"2.0","result":[{"signature":"5yFv","slot":5,"blockTime":1773085108}]}'
    following = feed.read(listed, wanted, feed.request(wanted)).following
    assert following is not None
    return feed.read(body, wanted, following).rows


def test_solana_other_calls_are_no_answer_to_ours(real_data: Path) -> None:
    feed = Helius().feeds["wallet_balances"]
    wanted = Wanted(now=NOW, subject="11111111111111111111111111111111")
    for entry in find(real_data, f"{RPC}test_query_tx_from_rpc.yaml"):
        with pytest.raises(SourceMalformed):
            feed.read(entry.body, wanted, feed.request(wanted))


def test_moralis_price(real_data: Path) -> None:
    (entry,) = find(real_data, "moralis/**/*.yaml")
    feed, wanted = Moralis().feeds["prices"], Wanted(now=NOW, subject="DAI-USD")
    request = feed.request(wanted)
    assert str(request.url).lower() == entry.url.lower()
    rows = feed.read(entry.body, wanted, request).rows
    assert rows.select("symbol", "price", "time").row(0) == ("DAI-USD", 1.0, NOW)
    # The same price through ether: what a DAI is in ether, at what an ether was then.
    assert pytest.approx(rows["price"][0], rel=0.01) == 578_074_164_429_146 / 1e18 * 1_730
    with pytest.raises(SourceMalformed, match="expected the price of 0xdac17"):
        feed.read(entry.body, Wanted(now=NOW, subject="USDT-USD"), request)


YAHOO = {
    "orcl-2000-yahoo.csv": 252,
    "AET-L-1d-100x-error-fixed.csv": 23,
    "AET-L-1d-100x-error.csv": 23,
    "ALPHA-PA-1d-bad-stock-split-fixed.csv": 29,
    "ALPHA-PA-1d-bad-stock-split.csv": 29,
    "EA-15m-no-bad-divs.csv": 319,
    "EWG-1d-no-bad-divs.csv": 662,
}


@pytest.mark.parametrize("name", YAHOO)
def test_yahoo_tables(real_data: Path, name: str) -> None:
    (path,) = (real_data / "wire" / "yahoo").rglob(name)
    rows = read_csv(path.read_bytes(), venue="yahoo", index="X", interval="1d")
    with path.open(newline="") as file:
        told: list[dict[str, Any]] = list(csv.DictReader(file))
    times = [parse_utc(row.get("Date") or row["Datetime"]) for row in told]
    order = sorted(range(len(told)), key=lambda at: times[at])
    assert rows.height == YAHOO[name] == len(told)
    assert rows["time"].to_list() == sorted(times)
    for column in ("Open", "High", "Low", "Close", "Volume"):
        assert rows[column.lower()].to_list() == [float(told[at][column]) for at in order]
    assert rows["time"].diff().drop_nulls().min() == (
        timedelta(minutes=15) if "15m" in name else timedelta(days=1)
    )
