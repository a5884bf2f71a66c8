"""Which of a file's columns is what: by name, or by place where there are no names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sources.files.tables import Table
    from sources.numbers import Refuse

NEEDED = ("open_time", "open", "high", "low", "close", "volume")
OPTIONAL = ("quote_volume", "trades", "taker_buy_volume")
# Six columns are this order everywhere; twelve are Binance's, of its REST answers and dumps.
SIX = NEEDED
TWELVE = (*NEEDED, "", "quote_volume", "trades", "taker_buy_volume", "", "")
SERIES = ("venue", "symbol", "interval")  # columns that may say which series it is

_TIMES = frozenset({
    "open_time", "opentime", "time_open", "start_time", "starttime", "start", "timestamp", "time",
    "date", "datetime", "date_time", "ts", "t", "unix", "unix_timestamp", "startedat",
    "timestamp_ms", "timestamp_utc", "time_utc", "date_utc", "datetime_utc", "candle_begin_time",
    "begin", "period_start", "time_period_start",
})  # fmt: skip
_INDEX = frozenset({"", "index", "unnamed_0", "index_level_0"})  # how pandas writes an index
_ALIASES: dict[str, frozenset[str]] = {
    "open_time": _TIMES,
    "open": frozenset({"open", "o", "open_price", "price_open", "first"}),
    "high": frozenset({"high", "h", "high_price", "price_high", "max"}),
    "low": frozenset({"low", "l", "low_price", "price_low", "min"}),
    "close": frozenset({"close", "c", "close_price", "price_close", "last"}),
    "volume": frozenset({"volume", "v", "vol", "base_volume", "volume_base", "volume_traded"}),
    "quote_volume": frozenset({
        "quote_volume", "quote_asset_volume", "quoteassetvolume", "quotevolume", "volume_quote",
        "turnover", "q",
    }),
    "trades": frozenset({
        "trades", "count", "number_of_trades", "numberoftrades", "num_trades", "trade_count",
        "tradecount", "trades_count", "n",
    }),
    "taker_buy_volume": frozenset({
        "taker_buy_volume", "taker_buy_base_volume", "taker_buy_base_asset_volume",
        "takerbuybaseassetvolume", "taker_buy_base", "taker_base_vol",
    }),
    "venue": frozenset({"venue", "exchange"}),
    "symbol": frozenset({"symbol", "pair", "ticker", "instrument"}),
    "interval": frozenset({"interval", "timeframe"}),
    "synthetic": frozenset({"synthetic"}),
}  # fmt: skip


class Columns(msgspec.Struct, frozen=True):
    """`places` says at which place of the table each field is."""

    places: dict[str, int]
    notes: list[str]


def find_columns(
    table: Table, symbol: str, columns: Sequence[str] | None, refuse: Refuse
) -> Columns:
    """Return where each field is.

    `columns` names the file's columns in order, in our words, an empty name for one to leave out;
    it decides over the file's own header.
    """
    if columns is not None:
        return _as_told(columns, table.frame.width)
    if table.names is None:
        return _by_place(table.frame.width, refuse)
    return _by_name(table.names, symbol, refuse)


def _as_told(columns: Sequence[str], width: int) -> Columns:
    allowed = (*NEEDED, *OPTIONAL)
    named = [name for name in columns if name]
    wrong = [name for name in named if name not in allowed or named.count(name) > 1]
    missing = [name for name in NEEDED if name not in named]
    if wrong or missing:
        raise InvalidInput(
            f"expected columns= to name {', '.join(NEEDED)} once each and perhaps "
            f"{', '.join(OPTIONAL)}; wrong was {wrong}, missing was {missing}"
        )
    if len(columns) != width:
        raise InvalidInput(f"expected columns= to name all {width} columns, was {len(columns)}")
    places = {name: place for place, name in enumerate(columns) if name}
    return Columns(places, [f"columns: {', '.join(named)}, as you named them"])


def _by_place(width: int, refuse: Refuse) -> Columns:
    known = {len(SIX): SIX, len(TWELVE): TWELVE}.get(width)
    if known is None:
        raise refuse(
            f"expected a header, or {len(SIX)} or {len(TWELVE)} columns, was {width} without one;"
            " name them with columns="
        )
    places = {name: place for place, name in enumerate(known) if name}
    return Columns(places, [f"columns: {', '.join(places)}, by their places (there is no header)"])


def _by_name(names: list[str], symbol: str, refuse: Refuse) -> Columns:
    plain = [_plain(name) for name in names]
    base, quote = symbol.lower().split("-")
    own = {"volume": {f"volume_{base}"}, "quote_volume": {f"volume_{quote}"}}
    places: dict[str, int] = {}
    for field, aliases in _ALIASES.items():
        found = [n for n, name in enumerate(plain) if name in aliases | own.get(field, set())]
        exact = [n for n in found if plain[n] == field]
        if len(found) > 1 and len(exact) != 1:
            both = " and ".join(repr(names[n]) for n in found)
            raise refuse(f"expected one column for {field}, was {both}; decide with columns=")
        if found:
            places[field] = (exact or found)[0]
    if "open_time" not in places and plain[0] in _INDEX:
        places["open_time"] = 0
    missing = [field for field in NEEDED if field not in places]
    if missing:
        raise refuse(
            f"expected columns for {', '.join(missing)}, was {', '.join(map(repr, names))};"
            " name them with columns="
        )
    read = [f"{field} from {names[n]!r}" for field, n in places.items() if names[n] != field]
    unread = [repr(name) for n, name in enumerate(names) if n not in places.values()]
    notes = ["columns: " + (", ".join(read) if read else "named as ours")]
    return Columns(places, notes + ([f"left out: {', '.join(unread)}"] if unread else []))


def _plain(name: str) -> str:
    """Return a name in lower case with single underscores: `Volume (BTC)` is `volume_btc`."""
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")
