"""Settings: environment `NIGHTJAR_*` over `nightjar.toml` over defaults.

Unknown keys are errors in both places: a misspelt setting that is silently ignored costs money.
Groups are written `NIGHTJAR_COSTS__FEE_BPS=7` in the environment and `[costs]` in the file.
"""

from __future__ import annotations

import math
import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from core.errors import SettingsError
from core.market import check_symbol, check_venue, interval_step

PREFIX = "NIGHTJAR_"
FILE = Path("nightjar.toml")


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CostSettings(_Group):
    """What a trade costs, in basis points (1 bp = 0.01 %)."""

    fee_bps: float = Field(10.0, ge=0, le=1_000, description="fee per side")
    slippage_bps: float = Field(5.0, ge=0, le=1_000, description="price moved against us, per side")
    funding_bps: float = Field(1.0, ge=0, le=1_000, description="per 8 h that a short is held")


class VettingSettings(_Group):
    """What a candidate must show before it is promoted."""

    alpha: float = Field(
        0.005,
        gt=0,
        lt=1,
        description="how often luck may do as well; over 90 days 0.05 promotes something false on "
        "some 15 nights a year, 0.01 on 2, 0.002 on one in 2 years",
    )
    worlds: int = Field(
        199, ge=1, le=100_000, description="mirrored worlds at most; alpha needs 1/alpha - 1"
    )
    stop_after: int = Field(
        10, ge=1, description="no more worlds once so many did as well as the night's best"
    )
    permutations: int = Field(
        39, ge=1, le=100_000, description="permuted worlds at most, for what the mirrored let pass"
    )
    permutation_alpha: float = Field(
        0.05, gt=0, lt=1, description="how often luck in permuted worlds may do as well"
    )
    min_trades: int = Field(30, ge=1, description="trades over the window, on the mean of symbols")
    max_correlation: float = Field(
        0.5, gt=0, le=1, description="of daily returns of two rules in one portfolio"
    )
    max_promotions: int = Field(10, ge=0, description="the most that one night may promote")

    @model_validator(mode="after")
    def _enough_worlds(self) -> Self:
        for name, level, worlds in (
            ("worlds", self.alpha, self.worlds),
            ("permutations", self.permutation_alpha, self.permutations),
        ):
            if 1 / (1 + worlds) > level * (1 + 1e-9):
                least = math.ceil(1 / level - 1e-9) - 1
                raise ValueError(
                    f"expected {name} of at least {least}, since p is never below 1/(1 + {name})"
                )
        return self


class PaperSettings(_Group):
    """How paper trading judges what was promoted, and what it is compared with."""

    horizon_days: int = Field(90, ge=2, le=3_650, description="days until a promotion is judged")
    level: float = Field(
        0.05, gt=0, lt=1, description="how often a useless one may be confirmed then"
    )
    kill_sigma: float = Field(
        2.0, gt=0, description="standard deviations below its forecast at which it is stopped"
    )
    rejected: int = Field(
        20, ge=0, le=1_000, description="the best of what a night rejected, followed beside"
    )
    random: int = Field(
        20, ge=0, le=1_000, description="strategies of a night drawn at random, followed beside"
    )


class OpenProviderSettings(_Group):
    """A provider that asks for no key."""

    url: str | None = Field(None, description="its address, where it is not the public one")


class ProviderSettings(OpenProviderSettings):
    """A provider that gives more, or anything at all, to who has a key."""

    key: SecretStr | None = Field(None, description="its key; never printed")


def _split(value: Any) -> Any:
    """Read a list that is written as one text with commas."""
    if not isinstance(value, str):
        return value
    return [part.strip() for part in value.split(",") if part.strip()]


_Texts = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
_ADDRESS = re.compile(r"0x[0-9a-f]{40}", re.ASCII)


class SocialSettings(_Group):
    """What is collected of what people say, and for how long it is kept."""

    queries: _Texts = Field(
        ("$BTC", "$ETH", "$SOL"), description="what is searched for on Twitter, comma-separated"
    )
    subreddits: _Texts = Field(
        ("CryptoCurrency", "Bitcoin", "ethereum"), description="read on Reddit, comma-separated"
    )
    assets: _Texts = Field(
        ("BTC", "ETH", "SOL"), description="whose mentions are counted, comma-separated"
    )
    bots: _Texts = Field(
        ("AutoModerator", "coinfeedsbot", "ccModBot", "whale_alert"),
        description="authors whose posts are dropped, comma-separated",
    )
    text_days: int = Field(30, ge=1, le=3_650, description="how long a post's text is kept")
    model: Literal["vader", "finbert"] = Field(
        "vader", description="what tells a post's mood; finbert needs the extra of that name"
    )


class WhaleSettings(_Group):
    """Which transfers are large, and whose addresses are an exchange's."""

    threshold_usd: float = Field(
        1_000_000, gt=0, description="the least worth of a transfer that is kept"
    )
    tokens: _Texts = Field(
        ("USDT", "USDC", "WBTC", "WETH"), description="tokens that are watched, comma-separated"
    )
    labels: _Texts = Field(
        (), description="exchanges' addresses beside the known ones: 0x…=name, comma-separated"
    )

    @field_validator("labels")
    @classmethod
    def _check_labels(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for label in value:
            address, _, name = label.partition("=")
            if not _ADDRESS.fullmatch(address.lower()) or not name:
                raise ValueError("expected labels such as 0x28c6…1d60=binance")
        return value

    @property
    def names(self) -> dict[str, str]:
        """The labels' names by address."""
        pairs = (label.partition("=") for label in self.labels)
        return {address.lower(): name for address, _, name in pairs}


class RoutingSettings(_Group):
    """Who is asked for what, in which order, and how long one that fails is left alone."""

    prices: _Texts = Field(
        ("jupiter", "dexscreener", "coingecko"), description="who is asked for prices, in order"
    )
    candles: _Texts = Field(
        ("venue", "archive", "ccxt", "cryptocompare"),
        description="who is asked for a venue's candles, in order",
    )
    failures: int = Field(3, ge=1, description="so many failures within a while set one aside")
    within_minutes: float = Field(15.0, gt=0, description="that while, in minutes")
    aside_hours: float = Field(2.0, gt=0, description="for how long one is set aside")
    connections: int = Field(50, ge=1, le=500, description="requests under way at once, at most")


class WatchSettings(_Group):
    """What the schedules collect beside candles."""

    venues: _Texts = Field(
        ("binance", "coinbase", "kraken", "okx"), description="whose markets are looked at"
    )
    markets: _Texts = Field(
        ("BTC-USDT", "ETH-USDT", "SOL-USDT"),
        description="which markets of theirs; `symbols` where that is set",
    )
    prices: _Texts = Field(
        ("BTC-USD", "ETH-USD", "SOL-USD"), description="what is priced by aggregators and routers"
    )
    pairs: _Texts = Field(
        ("solana/So11111111111111111111111111111111111111112",),
        description="tokens whose pools on decentralised exchanges are noted: chain/address",
    )
    wallets: _Texts = Field((), description="addresses on Solana whose holdings are noted")
    metrics: _Texts = Field(
        ("BTC addresses/active_count", "ETH addresses/active_count"),
        description="numbers about chains, as Glassnode names them",
    )
    indices: _Texts = Field(("SP500", "NASDAQ"), description="stock indices")


class Settings(BaseSettings):
    """All that a person can set; `load` reads them, nothing else should."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_ignore_empty=True,
        toml_file=FILE,
        frozen=True,
        extra="forbid",
    )

    home: Path = Field(Path("data"), description="where everything is kept")
    lake: str | None = Field(None, description="where the cold tier is; default HOME/lake")
    venue: str = Field("sandbox", description="the venue that the night reads")
    symbols: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="what to collect and research, comma-separated; empty: all that is there"
    )
    interval: str = Field("1m", description="the bars that a night searches and fills trades on")
    days: int = Field(90, ge=2, le=3_650, description="how much history a night looks at")
    strategies: int = Field(
        500, ge=4, le=1_000_000, description="how many strategies come out of a night's search"
    )
    generations: int = Field(
        8, ge=0, le=10_000, description="how often the search breeds after its first generation"
    )
    seed: int = Field(1, ge=0, lt=2**63, description="decides everything random in a night")
    workers: int = Field(
        min(8, os.cpu_count() or 1),
        ge=1,
        le=256,
        description="processes of the null worlds, threads of the backtests",
    )
    dask: str | None = Field(
        None,
        pattern=r"^[a-z]+://\S+$",
        description="scheduler of a Dask cluster that does the work of `workers`",
    )
    lock_wait: float = Field(30.0, gt=0, description="seconds to wait for the store")
    landing_days: int = Field(14, ge=0, description="how long merged raw batches stay in landing")
    repair_venues: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="venues to ask, in order, for bars that a series' own venue does not have"
    )
    borrow: bool = Field(
        False,  # noqa: FBT003 - a default, not an argument
        description="whether research reads bars of repair_venues where a venue's own are missing",
    )
    sandbox_url: str = Field("http://127.0.0.1:8490", description="the offline exchange")
    sandbox_seed: int = Field(1, ge=0, lt=2**63, description="decides the sandbox's markets")
    binance_url: str = Field("https://api.binance.com", description="Binance spot REST")
    binance_api_key: SecretStr | None = Field(
        None, description="sent as X-MBX-APIKEY where it is set; public data needs none"
    )
    binance_archive_url: str = Field(
        "https://data.binance.vision", description="Binance's monthly and daily dumps"
    )
    binance_perp: OpenProviderSettings = OpenProviderSettings()
    bybit: OpenProviderSettings = OpenProviderSettings()
    bybit_perp: OpenProviderSettings = OpenProviderSettings()
    coinbase: OpenProviderSettings = OpenProviderSettings()
    htx: OpenProviderSettings = OpenProviderSettings()
    kraken: OpenProviderSettings = OpenProviderSettings()
    kucoin: OpenProviderSettings = OpenProviderSettings()
    okx: OpenProviderSettings = OpenProviderSettings()
    okx_perp: OpenProviderSettings = OpenProviderSettings()
    dexscreener: OpenProviderSettings = OpenProviderSettings()
    yahoo: OpenProviderSettings = OpenProviderSettings()
    ccxt: OpenProviderSettings = OpenProviderSettings()
    stooq: ProviderSettings = ProviderSettings()
    coingecko: ProviderSettings = ProviderSettings()
    coinmarketcap: ProviderSettings = ProviderSettings()
    cryptocompare: ProviderSettings = ProviderSettings()
    jupiter: ProviderSettings = ProviderSettings()
    helius: ProviderSettings = ProviderSettings()
    moralis: ProviderSettings = ProviderSettings()
    glassnode: ProviderSettings = ProviderSettings()
    twitter: ProviderSettings = ProviderSettings()
    reddit: ProviderSettings = ProviderSettings()
    lunarcrush: ProviderSettings = ProviderSettings()
    social: SocialSettings = SocialSettings()
    whales: WhaleSettings = WhaleSettings()
    routing: RoutingSettings = RoutingSettings()
    watch: WatchSettings = WatchSettings()
    costs: CostSettings = CostSettings()
    vetting: VettingSettings = VettingSettings()
    paper: PaperSettings = PaperSettings()

    @field_validator("symbols", "repair_venues", mode="before")
    @classmethod
    def _split_names(cls, value: Any) -> Any:
        return [part for part in value.split(",") if part] if isinstance(value, str) else value

    @field_validator("symbols")
    @classmethod
    def _check_symbols(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(check_symbol(symbol) for symbol in value)

    @field_validator("repair_venues")
    @classmethod
    def _check_venues(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(check_venue(venue) for venue in value)

    @field_validator("interval")
    @classmethod
    def _check_interval(cls, value: str) -> str:
        interval_step(value)
        return value

    @field_validator("venue")
    @classmethod
    def _check_venue(cls, value: str) -> str:
        return check_venue(value)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments over environment over file; no other place."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @property
    def lake_root(self) -> str:
        """The cold tier's folder or URL."""
        return self.lake or str(self.home / "lake")


def load(**overrides: Any) -> Settings:
    """Read the settings; raise `SettingsError` naming every key that is wrong.

    Values are never part of the error's text, since one of them may be a secret.
    """
    _refuse_unknown_environment()
    try:
        return Settings(**overrides)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        )
        raise SettingsError(f"settings are wrong: {wrong}") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{FILE} is not TOML: {error}") from None


def _refuse_unknown_environment() -> None:
    known = set()
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, _Group):
            known |= {f"{name}__{inner}".upper() for inner in field.annotation.model_fields}
        known.add(name.upper())
    unknown = sorted(
        key
        for key in os.environ
        if key.startswith(PREFIX) and key.removeprefix(PREFIX) not in known
    )
    if unknown:
        names = ", ".join(PREFIX + name for name in sorted(known))
        raise SettingsError(f"unknown settings {', '.join(unknown)}; known are {names}")
