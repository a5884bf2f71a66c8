"""The ledger of every strategy that was ever evaluated."""

from __future__ import annotations

from commands.console import (
    DONE,
    FAILED,
    Json,
    load_settings,
    print_json,
)


def verify(*, as_json: Json = False) -> int:
    """Make every night's digest anew, and check the chain; exit 1 where it is broken."""
    load_settings()
    from serving.ledger import show_faults
    from storage.ledger import contents
    from storage.ledger import verify as check
    from storage.store import default_store

    store = default_store()
    faults, nights = check(store), contents(store)
    whole = not any(fault.broken for fault in faults)
    if as_json:
        print_json({"whole": whole, "nights": nights.height, "faults": faults})
    else:
        show_faults(faults, nights.height, int(nights["rows"].sum()))
    return DONE if whole else FAILED


def show(*, as_json: Json = False) -> int:
    """Show each night's place in the ledger: trials, distinct strategies, digest, chain."""
    load_settings()
    from serving.ledger import show_ledger
    from storage.ledger import contents
    from storage.store import default_store

    nights = contents(default_store())
    if as_json:
        print_json(nights.to_dicts())
    else:
        show_ledger(nights)
    return DONE
