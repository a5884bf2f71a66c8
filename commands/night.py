"""The night: run it, run it again, read its report, follow its promotions."""

from __future__ import annotations

from typing import Any

from commands.console import (
    DONE,
    FAILED,
    Json,
    Moment,
    OpenPage,
    Symbols,
    load_settings,
    open_desk,
    print_json,
)
from core.errors import InvalidInput


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
    open_desk()
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
        print_json(summary)
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
    open_desk()
    from flows.replay import replay as run_again
    from serving.replay import show_replay

    summary = run_again(night)
    if as_json:
        print_json(summary)
    else:
        show_replay(summary)
    return DONE if summary.equal else FAILED


def report(*, open_page: OpenPage = False) -> int:
    """Say where the last night's report is."""
    settings = load_settings()
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


def desk(
    *,
    venue: str | None = None,
    open_page: OpenPage = False,
    as_json: Json = False,
) -> int:
    """Show what is on paper, beside its forecast, and whether the desk's choosing is worth it.

    Args:
        venue: whose markets; default is the setting (sandbox).
    """
    settings = load_settings()
    from core.clock import utc_now
    from research.book import book_of
    from serving.book import show_book
    from serving.deskpage import publish
    from storage.lake import sql as ask
    from storage.store import default_store

    where = venue or settings.venue
    book = book_of(ask("from paper where venue = $venue", {"venue": where}))
    if as_json:
        print_json(book)
    else:
        show_book(book)
    if open_page:
        import webbrowser

        page = publish(book, default_store(), venue=where, made_at=utc_now())
        webbrowser.open(page.as_uri())
    return DONE
