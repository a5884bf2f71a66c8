"""nightjar's front door: the command line.

Exit codes: 0 done, 1 failed, 2 misused, 3 a gate refused. Every command that a program may read
takes `--json`. Rooms are imported inside the commands, so that `nightjar --help` is quick.
"""

from __future__ import annotations

import logging
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from cyclopts import App, CycloptsError, Parameter

from core import settings as settings_of
from core.clock import parse_utc
from core.environment import LOGGER, prefer_running_server, prepare_prefect
from core.errors import GateRefused, InvalidInput, NightjarError, QueryRefused, SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from core.settings import Settings

__version__ = "0.1.0"

DONE, FAILED, MISUSED, REFUSED = 0, 1, 2, 3

app = App(
    name="nightjar",
    help="A quant desk for crypto that works at night, and says what its winners are worth.",
    version=__version__,
    result_action="return_value",
)
ledger = App(name="ledger", help="Every strategy that was ever evaluated, chained night by night.")
app.command(ledger)


def _moment(_kind: Any, tokens: Sequence[Any]) -> datetime:
    return parse_utc(tokens[0].value)


def _symbols(_kind: Any, tokens: Sequence[Any]) -> list[str]:
    return [part for token in tokens for part in token.value.split(",") if part]


Moment = Annotated[datetime | None, Parameter(converter=_moment)]
Symbols = Annotated[list[str] | None, Parameter(converter=_symbols, consume_multiple=True)]
Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON for a program.")]


@app.command
def nightly(
    *,
    as_of: Moment = None,
    symbols: Symbols = None,
    venue: str | None = None,
    strategies: int | None = None,
    days: int | None = None,
    seed: int | None = None,
    interval: str | None = None,
    replay: str | None = None,
    as_json: Json = False,
) -> int:
    """Run the night here and now: collect, breed, backtest, vet, promote, report.

    Args:
        as_of: the moment the night looks back from, such as 2026-06-01T00:00Z; default is now.
        symbols: which markets, such as BTC-USDT,ETH-USDT; default is all that the venue has here.
        venue: where the bars come from; default is the setting (sandbox).
        strategies: how many to breed; default is the setting (500).
        days: how much history to look at; default is the setting (90).
        seed: decides everything random; default is the setting.
        interval: the bars to search and to fill trades on; default is the setting (1m).
        replay: a past night to run again as it was asked, by its name or the beginning of it;
            says whether it is equal, or where it differs (exit 1), and saves nothing.
    """
    if replay is not None:
        _refuse_beside_replay(
            as_of=as_of,
            symbols=symbols,
            venue=venue,
            strategies=strategies,
            days=days,
            seed=seed,
            interval=interval,
        )
        return _replay(replay, as_json=as_json)
    _open_desk()
    from flows.nightly import nightly as run_night
    from serving.morning import show_night

    summary = run_night(
        as_of=as_of,
        symbols=symbols,
        venue=venue,
        strategies=strategies,
        days=days,
        seed=seed,
        interval=interval,
    )
    if as_json:
        _print_json(summary)
    else:
        show_night(summary)
    return DONE


def _refuse_beside_replay(**options: Any) -> None:
    given = [f"--{name.replace('_', '-')}" for name, value in options.items() if value is not None]
    if given:
        raise InvalidInput(
            "expected --replay alone, since a night is replayed as it was asked, "
            f"was {', '.join(given)} too"
        )


def _replay(night: str, *, as_json: bool) -> int:
    _open_desk()
    from flows.replay import replay as run_again
    from serving.replay import show_replay

    summary = run_again(night)
    if as_json:
        _print_json(summary)
    else:
        show_replay(summary)
    return DONE if summary.equal else FAILED


@app.command
def ingest(
    *,
    source: str,
    symbols: Symbols = None,
    since: Moment = None,
    until: Moment = None,
    path: Path | None = None,
    interval: str = "1m",
    venue: str | None = None,
    zone: str | None = None,
    as_json: Json = False,
) -> int:
    """Collect candles once: what is not stored yet, through the gate, into the store.

    Args:
        source: sandbox, binance, binance-archive (the official dumps) or files (anyone's bars).
        symbols: which markets, such as BTC-USDT,ETH-USDT; `files` takes exactly one.
        since: the first bar; default is as far back as a night looks.
        until: the end, not part of it; default is the last closed bar.
        path: a folder of dumps (binance-archive) or one file (files).
        interval: the length of one bar.
        venue: whose bars a file holds (files only), such as kucoin.
        zone: the time zone of a file's times where they carry none (files only), such as UTC.
    """
    _open_desk()
    from flows.ingest import ingest as collect
    from serving.terminal import show_ingest

    summary = collect(
        source=source,
        symbols=symbols,
        since=since,
        until=until,
        path=path,
        interval=interval,
        venue=venue,
        zone=zone,
    )
    if as_json:
        _print_json(summary)
    else:
        show_ingest(summary)
    return DONE


@app.command
def sql(query: str, /, *, as_json: Json = False) -> int:
    """Ask the store, hot and cold, in DuckDB's SQL; reading only.

    Args:
        query: one SELECT, such as "select symbol, count(*) from candles group by symbol".
    """
    _load_settings()
    from serving.terminal import show_frame
    from storage.lake import sql as ask

    frame = ask(query)
    if as_json:
        print(frame.write_json())
    else:
        show_frame(frame)
    return DONE


@app.command
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
    settings = _load_settings()
    from research.backtest import Costs
    from research.backtest import backtest as run
    from research.strategy import Strategy
    from serving.terminal import show_backtest

    texts = _read_text(strategy).split("\n---\n")
    strategies = [Strategy.parse(text) for text in texts]
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


@app.command
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
    settings = _load_settings()
    from research.costs import Costs
    from research.lookahead import Proof
    from research.market import markets_of
    from research.strategy import Strategy
    from serving.lookahead import findings_of, show_findings

    strategies = [Strategy.parse(text) for text in _read_text(strategy).split("\n---\n")]
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
        _print_json(rows)
    else:
        show_findings(strategies, rows)
    return DONE if all(row["clean"] for row in rows) else FAILED


@app.command
def status(*, as_json: Json = False) -> int:
    """Show what the store holds: coverage, gaps, freshness, quarantine, the last runs."""
    _load_settings()
    from core.clock import utc_now
    from serving.status import status as look
    from serving.terminal import show_status
    from storage.store import default_store

    found = look(default_store(), now=utc_now())
    if as_json:
        _print_json(found)
    else:
        show_status(found)
    return DONE


@app.command
def report(*, open_page: Annotated[bool, Parameter(name="--open", negative="")] = False) -> int:
    """Say where the last night's report is.

    Args:
        open_page: open it in the browser.
    """
    settings = _load_settings()
    from core.errors import NothingStored
    from storage.lake import sql as ask

    last = ask("select report from nights order by started_at desc limit 1")
    if last.is_empty():
        raise NothingStored("no night has run here yet; `nightjar nightly` runs one")
    page = (settings.home / last.item()).resolve()
    print(page)
    if open_page:
        import webbrowser

        webbrowser.open(page.as_uri())
    return DONE


@app.command
def desk(
    *,
    venue: str | None = None,
    open_page: Annotated[bool, Parameter(name="--open", negative="")] = False,
    as_json: Json = False,
) -> int:
    """Show what is on paper, beside its forecast, and whether the desk's choosing is worth it.

    Args:
        venue: whose markets; default is the setting (sandbox).
        open_page: open it as a page in the browser.
    """
    settings = _load_settings()
    from core.clock import utc_now
    from research.book import book_of
    from serving.book import show_book
    from serving.deskpage import publish
    from storage.lake import sql as ask
    from storage.store import default_store

    where = venue or settings.venue
    book = book_of(ask("from paper where venue = $venue", {"venue": where}))
    if as_json:
        _print_json(book)
    else:
        show_book(book)
    if open_page:
        import webbrowser

        page = publish(book, default_store(), venue=where, made_at=utc_now())
        webbrowser.open(page.as_uri())
    return DONE


@ledger.command
def verify(*, as_json: Json = False) -> int:
    """Make every night's digest anew, and check the chain; exit 1 where it is broken."""
    _load_settings()
    from serving.ledger import show_faults
    from storage.ledger import contents
    from storage.ledger import verify as check
    from storage.store import default_store

    store = default_store()
    faults, nights = check(store), contents(store)
    whole = not any(fault.broken for fault in faults)
    if as_json:
        _print_json({"whole": whole, "nights": nights.height, "faults": faults})
    else:
        show_faults(faults, nights.height, int(nights["rows"].sum()))
    return DONE if whole else FAILED


@ledger.command
def show(*, as_json: Json = False) -> int:
    """Show each night's place in the ledger: trials, distinct strategies, digest, chain."""
    _load_settings()
    from serving.ledger import show_ledger
    from storage.ledger import contents
    from storage.store import default_store

    nights = contents(default_store())
    if as_json:
        _print_json(nights.to_dicts())
    else:
        show_ledger(nights)
    return DONE


@app.command
def up(*, port: int = 4200) -> int:
    """Run the desk until Ctrl-C: Prefect's server and UI, the deployments, a worker.

    Args:
        port: where the UI listens on this machine; 0 takes any free port.
    """
    settings = _load_settings()
    prepare_prefect(settings.home)
    from serving.desk import desk, wait_for_goodbye

    with desk(settings.home, _project(), port=port) as url:
        print(f"The desk is open at {url} (Ctrl-C closes it)", flush=True)
        wait_for_goodbye()
        print("closing ...", flush=True)
    return DONE


@app.command
def sandbox(
    *,
    port: int = 8490,
    seed: int | None = None,
    fault: Annotated[list[str] | None, Parameter(negative="")] = None,
) -> int:
    """Run the offline exchange on a local port until Ctrl-C.

    Args:
        port: where it listens on this machine; 0 takes any free port.
        seed: decides its markets; default is the setting.
        fault: a fault and its rate, such as server_errors=0.1; may be given several times.
    """
    settings = _load_settings()
    from sources.sandbox.faults import Faults
    from sources.sandbox.process import serve

    serve(
        port,
        settings.sandbox_seed if seed is None else seed,
        Faults.of(dict(_rate(text) for text in fault or [])),
        announce=lambda url: print(f"the sandbox exchange answers at {url} (Ctrl-C ends it)"),
    )
    return DONE


def _rate(text: str) -> tuple[str, float | int]:
    name, _, rate = text.partition("=")
    try:
        return name, int(rate) if rate.isdigit() else float(rate)
    except ValueError:
        raise InvalidInput(f"expected a fault as name=rate, was {text!r}") from None


def _candles(
    settings: Settings, file: Path | None, symbols: list[str] | None, days: int
) -> pl.DataFrame:
    import polars as pl

    from core.clock import utc_now
    from storage.lake import latest_candles
    from storage.store import default_store

    if file is None:
        return latest_candles(
            default_store(), venue=settings.venue, symbols=symbols, days=days, now=utc_now()
        )
    try:
        frame = pl.read_parquet(file)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InvalidInput(f"expected a Parquet file of candles at {file}: {error}") from None
    return frame.filter(pl.col("symbol").is_in(symbols)) if symbols else frame


def _read_text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"expected a strategy in {path}: {error}") from None


def _project() -> Path:
    project = Path(__file__).resolve().parent
    if not (project / "prefect.yaml").is_file():
        raise InvalidInput(f"expected nightjar's checkout with prefect.yaml in {project}")
    return project


def _load_settings() -> Settings:
    return settings_of.load()


def _open_desk() -> None:
    """Get ready to run a flow: Prefect's environment first, then a voice for the steps."""
    settings = _load_settings()
    settings.home.mkdir(parents=True, exist_ok=True)
    prefer_running_server(settings.home)
    prepare_prefect(settings.home)
    # Prefect's own lines and tracebacks are on the run's page; a person reads one sentence.
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    voice = logging.getLogger(LOGGER)
    voice.setLevel(logging.INFO)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s  %(message)s", "%H:%M:%S"))
    voice.addHandler(handler)


def _print_json(value: Any) -> None:
    print(msgspec.json.format(msgspec.json.encode(value, enc_hook=str)).decode())


def main(arguments: list[str] | None = None) -> None:
    """Run one command and leave with its exit code."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit code, with the error said on stderr."""
    try:
        done = app(arguments, exit_on_error=False, print_error=True)
    except CycloptsError:
        return MISUSED
    except NightjarError as error:
        print(f"nightjar: {error}", file=sys.stderr)
        return _code(error)
    except KeyboardInterrupt:
        return 130
    return done if isinstance(done, int) else DONE


def _code(error: NightjarError) -> int:
    if isinstance(error, GateRefused):
        return REFUSED
    return MISUSED if isinstance(error, (InvalidInput, SettingsError, QueryRefused)) else FAILED


if __name__ == "__main__":
    main()
