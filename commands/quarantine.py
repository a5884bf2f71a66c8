"""Quarantine: what is held back, why, and letting go of what is right."""

from __future__ import annotations

from commands.console import DONE, Json, Symbols, load_settings, print_json


def list_rows(
    *,
    dataset: str | None = None,
    symbols: Symbols = None,
    reason: str | None = None,
    every: bool = False,
    limit: int = 50,
    as_json: Json = False,
) -> int:
    """List the rows that wait in quarantine, the newest first.

    Args:
        dataset: of which table, such as candles; default is all.
        symbols: of which markets, such as BTC-USDT; default is all.
        reason: held for what, such as price_jump; default is anything.
        every: rows that were released or replaced too.
        limit: how many to show.
    """
    load_settings()
    from serving.quarantine import listing, show_listing
    from storage.store import default_store

    rows = listing(default_store(), dataset=dataset, symbols=symbols, reason=reason, every=every)
    if as_json:
        print_json(rows)
    else:
        show_listing(rows, most=limit)
    return DONE


def show(row: str, /, *, as_json: Json = False) -> int:
    """Explain one row: its values, why it is held, what the store holds around it.

    Args:
        row: its id in the list, or the beginning of it.
    """
    load_settings()
    from serving.quarantine import details, show_details
    from storage.store import default_store

    found = details(default_store(), row)
    if as_json:
        print_json(found)
    else:
        show_details(found)
    return DONE


def release(*rows: str, as_json: Json = False) -> int:
    """Bring rows into the store that are right after all; the decision is kept in `verdicts`.

    Only rows that a matter of opinion holds (price_jump, taker_exceeds_volume) can be released.

    Args:
        rows: their ids in the list, or the beginnings of them.
    """
    load_settings()
    from core.clock import utc_now
    from serving.quarantine import show_released
    from storage.release import release as let_go
    from storage.store import default_store

    merges = let_go(default_store(), rows, now=utc_now())
    if as_json:
        print_json(merges)
    else:
        show_released(merges)
    return DONE
