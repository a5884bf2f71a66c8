"""Upkeep: what moves the store's rows to where they belong, and what mends it."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - read when a command is called

from commands.console import DONE, FAILED, Json, Symbols, load_settings, open_desk, print_json


def archive(
    *,
    hot_days: int | None = None,
    by_day: bool = False,
    datasets: Symbols = None,
    as_json: Json = False,
) -> int:
    """Move old rows from the hot store to the lake, and clear landing, as every night does.

    Args:
        hot_days: how many days stay hot; default is what each dataset declares (candles: 90).
        by_day: let single days go; otherwise a month stays until all of it is old enough.
        datasets: which tables, such as candles,trials; default is all that do not stay hot.
    """
    open_desk()
    from flows.archive import archive as move

    moved = move(hot_days=hot_days, whole_months=not by_day, datasets=datasets)
    if as_json:
        print_json(moved)
    else:
        for dataset, rows in moved.rows.items():
            print(f"{dataset}: {rows:,} rows of {moved.partitions[dataset]} months are in the lake")
        for dataset, rows in moved.expired.items():
            print(f"{dataset}: {rows:,} rows are kept no longer")
        print(f"{moved.swept} merged batches left landing")
    return DONE


def doctor(*, dry_run: bool = False, own_lake: bool = False, as_json: Json = False) -> int:
    """Say what is wrong with the store, mend what can be, and show it; exit 1 if any is left.

    Args:
        dry_run: only look, change nothing.
        own_lake: make this the desk that writes to the lake, and stop the other one.
    """
    load_settings()
    from core.clock import utc_now
    from serving.doctor import show_checkup
    from storage.care.doctor import doctor as examine
    from storage.store import default_store

    found = examine(default_store(), now=utc_now(), mend=not dry_run, own_lake=own_lake)
    if found.findings and found.pending and not dry_run:
        from flows.upkeep import settle_waiting

        settle_waiting(utc_now())
        found = found.then(examine(default_store(), now=utc_now()))
    if as_json:
        print_json({"sound": found.sound, "checkup": found})
    else:
        show_checkup(found)
    return DONE if found.sound else FAILED


def backup(folder: Path, /, *, as_json: Json = False) -> int:
    """Copy the store to a folder of its own in there, and show that the copy is equal.

    Args:
        folder: where copies go, best on another disk.
    """
    load_settings()
    from core.clock import utc_now
    from storage.care.backup import backup as copy
    from storage.store import default_store

    made = copy(default_store(), folder, now=utc_now())
    if as_json:
        print_json(made)
    else:
        rows = sum(count.rows for count in made.counts)
        size = f"{made.files:,} files, {made.bytes / 2**20:,.1f} MiB"
        print(f"{made.path}: {size}, every SHA-256 equal")
        print(f"it opens, and its {len(made.counts)} tables hold the same {rows:,} rows")
    return DONE
