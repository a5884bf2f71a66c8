"""Why a gate held a row back, in plain words; docs/gates.md has the rules."""

from __future__ import annotations

REASONS = {
    "bad_name": "a name is not one that we use",
    "before_2009": "it is dated before there was a market",
    "duplicate": "the batch has another row of the same key",
    "in_future": "it is dated in the future",
    "missing_value": "a value that must be there is not",
    "negative_trades": "the number of trades is below zero",
    "negative_volume": "the volume is below zero",
    "not_finite": "a number is not finite",
    "off_grid": "it does not open on the grid of its interval",
    "ohlc_inconsistent": "high and low do not enclose open and close",
    "price_jump": "the price jumps over 20 %; later bars may yet confirm it",
    "price_not_positive": "a price is not above zero",
    "still_forming": "the bar was still forming",
    "taker_exceeds_volume": "takers bought more than was traded",
    "unknown_interval": "the interval is not one that we know",
}
