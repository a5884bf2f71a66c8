"""What is quoted beyond venues: aggregators, decentralised exchanges, chains, stock indices."""

from __future__ import annotations

import polars as pl

from core.datasets.dataset import PROVENANCE, TIME, Dataset

PRICES = Dataset(
    name="prices",
    description="What one unit of an asset is worth, as an aggregator or a router quotes it.",
    columns={
        "venue": pl.String(),  # who quotes
        "symbol": pl.String(),
        "time": TIME,
        "price": pl.Float64(),
        "volume_24h": pl.Float64(),  # in the quote asset
        "market_cap": pl.Float64(),
        **PROVENANCE,
    },
    key=("venue", "symbol", "time"),
    time_column="time",
    partition_by=("venue", "month"),
    hot_days=90,
)

LISTINGS = Dataset(
    name="listings",
    description="The largest assets, ranked by market capitalisation.",
    columns={
        "venue": pl.String(),  # who ranks
        "asset_id": pl.String(),  # its name for the asset
        "asset": pl.String(),  # the ticker, such as BTC
        "name": pl.String(),
        "time": TIME,
        "rank": pl.Int64(),
        "price": pl.Float64(),  # in USD, as is all money here
        "market_cap": pl.Float64(),
        "volume_24h": pl.Float64(),
        "circulating_supply": pl.Float64(),
        "total_supply": pl.Float64(),
        "max_supply": pl.Float64(),
        "change_1h": pl.Float64(),  # as a fraction: 0.01 is one percent
        "change_24h": pl.Float64(),
        "change_7d": pl.Float64(),
        "listed_at": TIME,
        **PROVENANCE,
    },
    key=("venue", "asset_id", "time"),
    time_column="time",
    partition_by=("venue", "month"),
    hot_days=90,
)

DEX_PAIRS = Dataset(
    name="dex_pairs",
    description="Pools of decentralised exchanges: price, liquidity and what was traded.",
    columns={
        "venue": pl.String(),  # who tells
        "chain": pl.String(),
        "dex": pl.String(),
        "pair_address": pl.String(),
        "base_address": pl.String(),
        "base": pl.String(),  # tickers are whatever the token's maker wrote
        "quote_address": pl.String(),
        "quote": pl.String(),
        "time": TIME,
        "price": pl.Float64(),  # of the base in the quote token
        "price_usd": pl.Float64(),
        "liquidity_usd": pl.Float64(),
        "volume_24h_usd": pl.Float64(),
        "buys_24h": pl.Int64(),
        "sells_24h": pl.Int64(),
        "fully_diluted_usd": pl.Float64(),
        "created_at": TIME,
        **PROVENANCE,
    },
    key=("venue", "chain", "pair_address", "time"),
    time_column="time",
    partition_by=("venue", "month"),
    hot_days=30,
)

DEX_QUOTES = Dataset(
    name="dex_quotes",
    description="What a router would give for an amount of a token, and how that moves the price.",
    columns={
        "venue": pl.String(),
        "chain": pl.String(),
        "input": pl.String(),  # addresses of the tokens
        "output": pl.String(),
        "time": TIME,
        "input_amount": pl.String(),  # in the smallest unit; may exceed 64 bits
        "output_amount": pl.String(),
        "price": pl.Float64(),  # output per input, in whole tokens; null where decimals are unknown
        "price_impact": pl.Float64(),  # as a fraction
        "route": pl.List(pl.String()),
        "slot": pl.Int64(),
        **PROVENANCE,
    },
    key=("venue", "chain", "input", "output", "input_amount", "time"),
    time_column="time",
    hot_days=30,
)

WALLET_BALANCES = Dataset(
    name="wallet_balances",
    description="What an address holds.",
    columns={
        "venue": pl.String(),  # whose node told
        "chain": pl.String(),
        "address": pl.String(),
        "account": pl.String(),  # the token account; the address itself for the native coin
        "token": pl.String(),  # its mint or contract; `native` for the chain's own coin
        "time": TIME,
        "raw_amount": pl.String(),  # whole number of the smallest unit
        "decimals": pl.Int64(),
        "amount": pl.Float64(),
        "slot": pl.Int64(),
        **PROVENANCE,
    },
    key=("chain", "address", "account", "token", "time"),
    time_column="time",
    hot_days=90,
)

WHALE_TRANSACTIONS = Dataset(
    name="whale_transactions",
    description="Large transfers of tokens, with the exchanges among sender and receiver named.",
    columns={
        "venue": pl.String(),  # who told
        "chain": pl.String(),
        "transaction_hash": pl.String(),
        "log_index": pl.Int64(),  # which transfer of the transaction
        "time": TIME,
        "block": pl.Int64(),
        "token": pl.String(),  # address of its contract; `native` for the chain's own coin
        "asset": pl.String(),
        "amount": pl.Float64(),
        "value_usd": pl.Float64(),
        "threshold_usd": pl.Float64(),  # what a transfer had to be worth to be kept
        "sender": pl.String(),
        "receiver": pl.String(),
        "sender_label": pl.String(),  # an exchange's name; null for one that is not known
        "receiver_label": pl.String(),
        "direction": pl.String(),  # to_exchange, from_exchange, between_exchanges or transfer
        **PROVENANCE,
    },
    key=("chain", "transaction_hash", "log_index"),
    time_column="time",
    hot_days=365,
)

ONCHAIN_METRICS = Dataset(
    name="onchain_metrics",
    description="Numbers about a chain as a whole, such as active addresses.",
    columns={
        "venue": pl.String(),
        "asset": pl.String(),
        "metric": pl.String(),
        "resolution": pl.String(),
        "time": TIME,
        "value": pl.Float64(),
        **PROVENANCE,
    },
    key=("venue", "asset", "metric", "resolution", "time"),
    time_column="time",
)

STOCK_INDICES = Dataset(
    name="stock_indices",
    description="Bars of stock indices.",
    columns={
        "venue": pl.String(),
        "index": pl.String(),  # SP500, NASDAQ, …
        "interval": pl.String(),
        "time": TIME,  # when the bar opens
        "open": pl.Float64(),
        "high": pl.Float64(),
        "low": pl.Float64(),
        "close": pl.Float64(),
        "volume": pl.Float64(),  # 0 or a count of ticks for many an index
        **PROVENANCE,
    },
    key=("venue", "index", "interval", "time"),
    time_column="time",
)
