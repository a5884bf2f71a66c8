"""What venues say of their markets. A perpetual contract's venue ends in `_perp`."""

from __future__ import annotations

import polars as pl

from core.datasets.dataset import PROVENANCE, TIME, Dataset

CANDLES = Dataset(
    name="candles",
    description="Bars of a market. `open_time` names a bar; a bar still forming is never stored.",
    columns={
        "venue": pl.String(),
        "symbol": pl.String(),
        "interval": pl.String(),
        "open_time": TIME,
        "open": pl.Float64(),
        "high": pl.Float64(),
        "low": pl.Float64(),
        "close": pl.Float64(),
        "volume": pl.Float64(),
        "quote_volume": pl.Float64(),  # null where the source does not say
        "trades": pl.Int64(),  # null where the source does not say
        "taker_buy_volume": pl.Float64(),  # null where the source does not say
        "synthetic": pl.Boolean(),  # True for a bar that nobody observed
        **PROVENANCE,
    },
    key=("venue", "symbol", "interval", "open_time"),
    time_column="open_time",
    partition_by=("venue", "symbol", "interval", "month"),
    hot_days=90,
)

TICKERS = Dataset(
    name="tickers",
    description="A market at one moment: the last price, the best bid and ask, the last 24 hours.",
    columns={
        "venue": pl.String(),
        "symbol": pl.String(),
        "time": TIME,  # as the venue says, else when it was received
        "last": pl.Float64(),
        "bid": pl.Float64(),
        "bid_size": pl.Float64(),
        "ask": pl.Float64(),
        "ask_size": pl.Float64(),
        "open_24h": pl.Float64(),
        "high_24h": pl.Float64(),
        "low_24h": pl.Float64(),
        "volume_24h": pl.Float64(),  # in the base asset
        "quote_volume_24h": pl.Float64(),
        **PROVENANCE,
    },
    key=("venue", "symbol", "time"),
    time_column="time",
    partition_by=("venue", "month"),
    hot_days=30,
)

MARKET_TRADES = Dataset(
    name="market_trades",
    description="Trades of a market, as its venue numbers them.",
    columns={
        "venue": pl.String(),
        "symbol": pl.String(),
        "trade_id": pl.String(),
        "time": TIME,
        "price": pl.Float64(),
        "amount": pl.Float64(),  # in the base asset
        "side": pl.String(),  # of the taker: buy or sell; null where the venue does not say
        **PROVENANCE,
    },
    key=("venue", "symbol", "trade_id"),
    time_column="time",
    partition_by=("venue", "symbol", "month"),
    hot_days=7,
)

ORDER_BOOKS = Dataset(
    name="order_books",
    description="Snapshots of order books, the best price first on each side.",
    columns={
        "venue": pl.String(),
        "symbol": pl.String(),
        "time": TIME,
        "sequence": pl.Int64(),  # the venue's number of this state; null where it has none
        "bid_prices": pl.List(pl.Float64()),
        "bid_sizes": pl.List(pl.Float64()),
        "ask_prices": pl.List(pl.Float64()),
        "ask_sizes": pl.List(pl.Float64()),
        **PROVENANCE,
    },
    key=("venue", "symbol", "time"),
    time_column="time",
    partition_by=("venue", "symbol", "month"),
    hot_days=7,
    keep_days=90,
)

INSTRUMENTS = Dataset(
    name="instruments",
    description="What a venue trades, and from when to when it was traded on these terms.",
    columns={
        "venue": pl.String(),
        "symbol": pl.String(),
        "native": pl.String(),  # the venue's spelling
        "kind": pl.String(),  # spot or perpetual
        "base": pl.String(),
        "quote": pl.String(),
        "status": pl.String(),  # trading, halted or delisted
        "tick_size": pl.Float64(),  # the least step of a price
        "lot_size": pl.Float64(),  # the least step of an amount
        "min_amount": pl.Float64(),
        "min_notional": pl.Float64(),
        "contract_size": pl.Float64(),  # base asset per contract; null for spot
        "listed_at": TIME,  # as the venue says; null where it does not
        "valid_from": TIME,  # when these terms were first seen
        "valid_until": TIME,  # when other ones were; null for what holds now
        **PROVENANCE,
    },
    key=("venue", "symbol", "valid_from"),
    time_column="valid_from",
)

VENUE_STATUS = Dataset(
    name="venue_status",
    description="Whether a venue says that it works.",
    columns={
        "venue": pl.String(),
        "time": TIME,
        "status": pl.String(),  # up, degraded, maintenance or down
        "message": pl.String(),
        **PROVENANCE,
    },
    key=("venue", "time"),
    time_column="time",
    hot_days=90,
)

MARK_PRICES = Dataset(
    name="mark_prices",
    description="What perpetual contracts are valued at, beside the index they follow.",
    columns={
        "venue": pl.String(),
        "symbol": pl.String(),
        "time": TIME,
        "mark_price": pl.Float64(),
        "index_price": pl.Float64(),
        **PROVENANCE,
    },
    key=("venue", "symbol", "time"),
    time_column="time",
    partition_by=("venue", "month"),
    hot_days=30,
)

FUNDING_RATES = Dataset(
    name="funding_rates",
    description="What longs paid to shorts at a funding time, as a share of the position.",
    columns={
        "venue": pl.String(),
        "symbol": pl.String(),
        "funding_time": TIME,
        "rate": pl.Float64(),
        "hours": pl.Float64(),  # since the funding before; null where the venue does not say
        "mark_price": pl.Float64(),
        **PROVENANCE,
    },
    key=("venue", "symbol", "funding_time"),
    time_column="funding_time",
    partition_by=("venue", "month"),
)

OPEN_INTEREST = Dataset(
    name="open_interest",
    description="How much of a perpetual contract is held open.",
    columns={
        "venue": pl.String(),
        "symbol": pl.String(),
        "time": TIME,
        "amount": pl.Float64(),  # in the base asset
        "value": pl.Float64(),  # in the quote asset; null where the venue does not say
        **PROVENANCE,
    },
    key=("venue", "symbol", "time"),
    time_column="time",
    partition_by=("venue", "month"),
    hot_days=90,
)

INDICATORS = Dataset(
    name="indicators",
    description="Indicators of a bar, each made of bars that were there when it closed.",
    columns={
        "venue": pl.String(),
        "symbol": pl.String(),
        "interval": pl.String(),
        "open_time": TIME,  # of the bar whose close ends what was looked at
        "rsi_14": pl.Float64(),
        "macd": pl.Float64(),
        "macd_signal": pl.Float64(),
        "macd_histogram": pl.Float64(),
        "bollinger_upper": pl.Float64(),
        "bollinger_middle": pl.Float64(),
        "bollinger_lower": pl.Float64(),
        "atr_14": pl.Float64(),
        "ema_9": pl.Float64(),
        "ema_21": pl.Float64(),
        "ema_50": pl.Float64(),
        "ema_200": pl.Float64(),
        "sma_20": pl.Float64(),
        "sma_50": pl.Float64(),
        "sma_200": pl.Float64(),
        "realised_volatility": pl.Float64(),  # annualised by sqrt(365 x bars a day)
        "volume_z": pl.Float64(),
        **PROVENANCE,
    },
    key=("venue", "symbol", "interval", "open_time"),
    time_column="open_time",
    partition_by=("venue", "symbol", "interval", "month"),
    hot_days=90,
)
