"""One's own strategies, through the engine and the checks of the night."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - read when a command is called
from typing import TYPE_CHECKING

from commands.console import (
    DONE,
    FAILED,
    Json,
    Symbols,
    load_settings,
    print_json,
)
from core.errors import InvalidInput

if TYPE_CHECKING:
    import polars as pl

    from core.settings import Settings
    from research.strategy import Strategy


def backtest(
    *,
    strategy: Path,
    candles: Path | None = None,
    symbols: Symbols = None,
    days: int | None = None,
    out: Path | None = None,
    as_json: Json = False,
) -> int:
    """Run your own strategy through the engine that the night uses.

    Args:
        strategy: a text file in the strategy language; several are parted by lines of `---`.
        candles: a Parquet file of candles; default is the store.
        symbols: which markets of it; default is all.
        days: how much history of the store; default is the setting (90).
        out: a folder for metrics.parquet, trades.parquet and equity.parquet.
    """
    settings = load_settings()
    from research.backtest import Costs
    from research.backtest import backtest as run
    from serving.terminal import show_backtest

    strategies = _strategies(strategy)
    frame = _candles(settings, candles, symbols, days or settings.days)
    result = run(frame, strategies, Costs(**settings.costs.model_dump()))
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        for name in ("metrics", "trades", "equity"):
            getattr(result, name).write_parquet(out / f"{name}.parquet")
    if as_json:
        print(result.metrics.write_json())
    else:
        show_backtest(strategies, result)
    return DONE


def lookahead(
    *,
    strategy: Path,
    candles: Path | None = None,
    symbols: Symbols = None,
    days: int | None = None,
    seed: int | None = None,
    as_json: Json = False,
) -> int:
    """Show whether your own strategy looks ahead, as the night does; exit 1 where it does.

    Args:
        strategy: a text file in the strategy language; several are parted by lines of `---`.
        candles: a Parquet file of candles; default is the store.
        symbols: which markets of it; default is all.
        days: how much history of the store; default is the setting (90).
        seed: decides where history is cut; default is the setting.
    """
    settings = load_settings()
    from research.costs import Costs
    from research.lookahead import Proof
    from research.market import markets_of
    from serving.lookahead import findings_of, show_findings

    strategies = _strategies(strategy)
    frame = _candles(settings, candles, symbols, days or settings.days)
    costs, luck = Costs(**settings.costs.model_dump()), settings.seed if seed is None else seed
    found = {
        market.symbol: Proof.of(market, costs, seed=luck).check(strategies)
        for market in markets_of(frame)
    }
    if not found:
        raise InvalidInput("expected candles of at least one symbol, was none")
    rows = findings_of(strategies, found)
    if as_json:
        print_json(rows)
    else:
        show_findings(strategies, rows)
    return DONE if all(row["clean"] for row in rows) else FAILED


def _candles(
    settings: Settings, file: Path | None, symbols: list[str] | None, days: int
) -> pl.DataFrame:
    import polars as pl

    from core.clock import utc_now
    from sources.files.arrow import from_parquet
    from sources.unpack import read_whole
    from storage.lake import latest_candles
    from storage.store import default_store

    if file is None:
        return latest_candles(
            default_store(), venue=settings.venue, symbols=symbols, days=days, now=utc_now()
        )

    def refuse(reason: str) -> InvalidInput:
        return InvalidInput(f"expected a Parquet file of candles at {file}: {reason}")

    frame = from_parquet(read_whole(file), refuse)
    return frame.filter(pl.col("symbol").is_in(symbols)) if symbols else frame


def _strategies(path: Path) -> list[Strategy]:
    from research.strategy import Strategy

    try:
        texts = path.read_text().split("\n---\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"expected a strategy in {path}: {error}") from None
    return [Strategy.parse(text) for text in texts]
