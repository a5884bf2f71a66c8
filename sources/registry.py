"""The sources a person can name: one table, and how each is opened.

Adding a provider is its file and a line here. Its class is called with `url=` where the settings
name an address, and with `api_key=` (a `SecretStr`) where they hold a key; it sends nothing when
it is made.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec

from core.errors import InvalidInput, KeyMissing
from sources.line import Line, shared_line
from sources.sandbox.venues import GIVES, SandboxCoinbase, SandboxKraken, SandboxOkx
from sources.venues.binance import Binance
from sources.venues.binance_perp import BinancePerp
from sources.venues.bybit import Bybit
from sources.venues.bybit_perp import BybitPerp
from sources.venues.ccxt_venue import Ccxt, exchanges
from sources.venues.coinbase import Coinbase
from sources.venues.htx import Htx
from sources.venues.kraken import Kraken
from sources.venues.kucoin import KuCoin
from sources.venues.okx import Okx
from sources.venues.okx_perp import OkxPerp
from sources.voices.lunarcrush import LunarCrush
from sources.voices.reddit import Reddit
from sources.voices.twitter import Twitter
from sources.world.coingecko import CoinGecko
from sources.world.coinmarketcap import CoinMarketCap
from sources.world.cryptocompare import CryptoCompare
from sources.world.dexscreener import DexScreener
from sources.world.glassnode import Glassnode
from sources.world.jupiter import Jupiter
from sources.world.moralis import Moralis
from sources.world.solana import Helius
from sources.world.stooq import Stooq
from sources.world.yahoo import Yahoo

if TYPE_CHECKING:
    from pydantic import SecretStr

    from core.settings import Settings
    from sources.provider import Provider

CANDLES = "candles"


class SourceInfo(msgspec.Struct, frozen=True):
    """One line of the table.

    Args:
        name: what people and rows call it.
        gives: its datasets.
        summary: what it is, in a few words.
        made_by: its class; None for a source of files.
        key: whether it takes a key, or gives nothing without one.
        needs_path: a person has to tell where its files lie.
        options: what else of the settings its class is given.
    """

    name: str
    gives: tuple[str, ...]
    summary: str
    made_by: Callable[..., Any] | None = None
    key: Literal["none", "optional", "needed"] = "none"
    needs_path: bool = False
    options: Callable[[Any], dict[str, Any]] | None = None

    @property
    def kind(self) -> Literal["rest", "files"]:
        """`rest` for one that is asked over HTTP, `files` for one that reads what lies on disk."""
        return "files" if self.made_by is None else "rest"

    @property
    def key_setting(self) -> str | None:
        """The setting that holds its key, None where it takes none."""
        if self.key == "none":
            return None
        return _OLDER.get(self.name, (None, f"{self.name}.key"))[1]


# Sources that were here before each had a group of settings: their address, their key.
_OLDER: dict[str, tuple[str | None, str | None]] = {
    **dict.fromkeys(
        ("sandbox", "sandbox_coinbase", "sandbox_kraken", "sandbox_okx"), ("sandbox_url", None)
    ),
    "binance": ("binance_url", "binance_api_key"),
}

_SPOT = ("tickers", "market_trades", "order_books", "instruments", "venue_status")
_PERPETUAL = (
    "market_trades",
    "order_books",
    "instruments",
    "mark_prices",
    "funding_rates",
    "open_interest",
)
_TABLE = (
    SourceInfo("sandbox", (CANDLES,), "the offline exchange", Binance),
    SourceInfo("sandbox_coinbase", (CANDLES, *GIVES), "the same, as Coinbase", SandboxCoinbase),
    SourceInfo("sandbox_kraken", (CANDLES, *GIVES), "the same, as Kraken", SandboxKraken),
    SourceInfo("sandbox_okx", (CANDLES, *GIVES), "the same, as OKX", SandboxOkx),
    SourceInfo("binance", (CANDLES, *_SPOT), "Binance spot", Binance, key="optional"),
    SourceInfo("binance_perp", (CANDLES, *_PERPETUAL), "Binance perpetuals", BinancePerp),
    SourceInfo("bybit", (CANDLES, *_SPOT), "Bybit spot", Bybit),
    SourceInfo(
        "bybit_perp",
        (CANDLES, *_SPOT, "mark_prices", "funding_rates", "open_interest"),
        "Bybit perpetuals",
        BybitPerp,
    ),
    SourceInfo("coinbase", (CANDLES, *_SPOT), "Coinbase spot", Coinbase),
    SourceInfo("htx", (CANDLES, *_SPOT), "HTX spot, the newest 2,000 bars", Htx),
    SourceInfo("kraken", (CANDLES, *_SPOT), "Kraken spot, the newest 720 bars", Kraken),
    SourceInfo("kucoin", (CANDLES, *_SPOT), "KuCoin spot", KuCoin),
    SourceInfo("okx", (CANDLES, *_SPOT), "OKX spot", Okx),
    SourceInfo(
        "okx_perp",
        (CANDLES, "instruments", "venue_status", "mark_prices", "funding_rates", "open_interest"),
        "OKX perpetual swaps",
        OkxPerp,
    ),
    SourceInfo(
        "coingecko",
        ("prices", "listings", "tickers"),
        "an aggregator: prices, rankings, markets of a coin",
        CoinGecko,
        key="optional",
    ),
    SourceInfo("coinmarketcap", ("listings",), "rankings", CoinMarketCap, key="needed"),
    SourceInfo(
        "cryptocompare",
        (CANDLES, "prices"),
        "hourly and daily history of an index over venues, and prices",
        CryptoCompare,
        key="optional",
    ),
    SourceInfo(
        "dexscreener", ("prices", "dex_pairs"), "pools of decentralised exchanges", DexScreener
    ),
    SourceInfo("jupiter", ("prices", "dex_quotes"), "a router on Solana", Jupiter, key="optional"),
    SourceInfo("helius", ("wallet_balances",), "nodes of Solana", Helius, key="optional"),
    SourceInfo(
        "moralis",
        ("prices", "whale_transactions"),
        "large transfers on Ethereum",
        Moralis,
        key="needed",
        options=lambda s: {"threshold_usd": s.whales.threshold_usd, "labels": s.whales.names},
    ),
    SourceInfo("glassnode", ("onchain_metrics",), "numbers about chains", Glassnode, key="needed"),
    SourceInfo("yahoo", ("stock_indices",), "stock indices", Yahoo),
    SourceInfo("stooq", ("stock_indices",), "stock indices by the day", Stooq, key="needed"),
    SourceInfo(
        "twitter",
        ("social_posts", "social_metrics"),
        "posts and their count",
        Twitter,
        key="needed",
    ),
    SourceInfo("reddit", ("social_posts",), "posts of subreddits", Reddit, key="needed"),
    SourceInfo(
        "lunarcrush",
        ("social_posts", "social_metrics"),
        "how much is spoken of an asset, and how friendly",
        LunarCrush,
        key="needed",
    ),
    SourceInfo(
        "binance-archive",
        (CANDLES,),
        "Binance's monthly and daily dumps, from a folder or downloaded",
    ),
    SourceInfo(
        "files",
        (CANDLES,),
        "one's own CSV, Parquet, Feather or JSON of one market",
        needs_path=True,
    ),
)

# Weight a minute that an address may spend; the headers say only what was spent.
# https://developers.binance.com/docs/binance-spot-api-docs/rest-api/limits
# https://developers.binance.com/docs/derivatives/usds-margined-futures/general-info
WEIGHTS = {"binance": 6_000.0, "binance_perp": 2_400.0}

SOURCES: dict[str, SourceInfo] = {info.name: info for info in _TABLE}


def source_named(name: str) -> SourceInfo:
    """Return what `name` is; raise `InvalidInput` with the known names.

    What the table does not have is looked for among CCXT's venues, where that is installed.
    """
    if name in SOURCES:
        return SOURCES[name]
    if name in exchanges():
        gives = (CANDLES, "instruments")
        return SourceInfo(name, gives, f"{name} through CCXT", partial(Ccxt, name))
    known = ", ".join(sorted(SOURCES))
    raise InvalidInput(f"expected a source of {known}, or one of CCXT's venues, was {name!r}")


def open_provider(name: str, settings: Settings) -> Provider:
    """Return the provider `name`, with the address and key of `settings`.

    Raises:
        InvalidInput: `name` is no source that is asked over REST.
        KeyMissing: it gives nothing without a key, and the settings hold none.
    """
    info = source_named(name)
    if info.made_by is None:
        raise InvalidInput(f"expected a source that is asked over REST, was {name!r}")
    key = key_of(info, settings)
    if info.key == "needed" and key is None:
        raise KeyMissing(name, info.key_setting or "")
    given: dict[str, Any] = {"url": url_of(name, settings), "api_key": key}
    if info.made_by is Binance:
        given["name"] = name
    given = {word: value for word, value in given.items() if value}
    more = info.options(settings) if info.options else {}
    return cast("Provider", info.made_by(**given, **more))


def open_venue(name: str, settings: Settings) -> Binance:
    """Return the REST venue `name`; raise `InvalidInput` for a source that gives no candles."""
    if CANDLES not in source_named(name).gives:
        raise InvalidInput(f"expected a source of candles, was {name!r}")
    return cast("Binance", open_provider(name, settings))


def key_of(info: SourceInfo, settings: Settings) -> SecretStr | None:
    """Return the key that the settings hold for a source, None where there is none."""
    if info.key_setting is None:
        return None
    key = _read(settings, info.key_setting)
    return key if key and key.get_secret_value() else None


def url_of(name: str, settings: Settings) -> str | None:
    """Return the address that the settings name for a source; None means the public one."""
    if name not in SOURCES:
        return settings.ccxt.url
    older = _OLDER.get(name)
    return cast("str | None", _read(settings, (older and older[0]) or f"{name}.url"))


def _read(settings: Settings, setting: str) -> Any:
    value: Any = settings
    for part in setting.split("."):
        value = getattr(value, part)
    return value


def line_of(provider: Provider | Binance) -> Line:
    """Return this process's one line to `provider` at its address."""
    address = getattr(provider, "url", "")
    return shared_line(
        f"{provider.name} {address}",
        provider.name,
        provider.per_second,
        WEIGHTS.get(provider.name),
    )
