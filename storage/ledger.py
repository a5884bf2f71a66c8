"""The ledger of trials: rows that are only ever added, and a chain of hashes that proves it.

A night's trials have a digest; its row in `ledger` chains that to the night before. Whoever
changes, removes or inserts a trial later breaks the chain at that night, and whoever mends the
chain changes its last hash, which every night's row in `nights` and its report have noted.
docs/ledger.md says how to recompute both without nightjar.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl

from core.datasets import LEDGER, TIME, TRIALS
from core.errors import ContractBroken, InvalidInput, LedgerConflict
from storage.cold import cold_files
from storage.files import buffers
from storage.hot_file import writing
from storage.lake import sql
from storage.merging import merge_rows
from storage.schema import PROVENANCE, literal, sql_type
from storage.tiers import union

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from duckdb import DuckDBPyConnection

    from storage.store import Store

GENESIS = "0" * 64  # what the first night is chained to
NOT_CHAINED = "not_chained"


def digest(frame: pl.DataFrame) -> str:
    """Return the SHA-256 of trials in hexadecimal.

    It depends on the rows alone: not on their order, their tier, `source` or `ingested_at`. A
    column that is null in every row does not count, so that columns which later versions add
    leave the digests of earlier nights as they are.

    Args:
        frame: rows with the columns of `trials`.

    Raises:
        ContractBroken: the columns are others, or a key comes twice.
    """
    rows = TRIALS.conform(frame)
    key = list(TRIALS.key)
    if rows.select(key).is_duplicated().any():
        raise ContractBroken(TRIALS.name, f"expected each {', '.join(key)} once in the ledger")
    rows = rows.drop(PROVENANCE).sort(key)
    found = hashlib.sha256(f"{TRIALS.name} {rows.height}\n".encode())
    for column in rows:
        if column.null_count() < rows.height:
            found.update(f"{column.name} {sql_type(column.dtype)}\n".encode())
            for part in buffers(column):
                found.update(part)
    return found.hexdigest()


def chained(previous: str, content: str, night: str) -> str:
    """Return the hash that stands for a night and all before it: of the three, in this order."""
    return hashlib.sha256(f"{previous}{content}{night}".encode()).hexdigest()


def append(store: Store, night: str, trials: pl.DataFrame, *, now: datetime) -> str:
    """Add a night's trials and its place in the chain; return the chain's hash after it.

    Both happen in one transaction, under the lock of the one writer, so that a night which was
    cut off is simply run again, and two nights never take the same place. The same trials again
    change nothing.

    Args:
        store: whose ledger.
        night: the night's name.
        trials: all of its rows.
        now: when this happens.

    Raises:
        LedgerConflict: the ledger holds this night, with other trials.
        ContractBroken: the rows do not conform.
        InvalidInput: the rows speak of another night, or there are none.
    """
    rows = _checked(night, trials)
    content = digest(rows)
    with writing(store, f"adding {night} to the ledger", now=now) as con:
        if (link := _link(con, night)) is not None and link["digest"] != content:
            raise LedgerConflict(night, expected=link["digest"], was=content)
        stored = _stored(con, store, night)
        if stored.height and (was := digest(stored)) != content:
            raise LedgerConflict(night, expected=was, was=content)
        if stored.is_empty():
            merge_rows(con, store, TRIALS, rows, now=now, again=False)
        if link is not None:
            return str(link["chain"])
        return _chain(con, store, night, content, rows=rows.height, now=now)


def _checked(night: str, trials: pl.DataFrame) -> pl.DataFrame:
    rows = TRIALS.conform(trials)
    if rows.is_empty():
        raise InvalidInput(f"expected trials of night {night}, was none")
    others = rows.filter(pl.col("night").ne_missing(night))["night"]
    if others.len():
        raise InvalidInput(f"expected trials of night {night}, was {others[0]!r} among them")
    nulls = [name for name in (*TRIALS.key, TRIALS.time_column) if rows[name].null_count()]
    if nulls:
        raise ContractBroken(TRIALS.name, f"expected a value in every row of {nulls}")
    return rows


def _link(con: DuckDBPyConnection, night: str) -> dict[str, Any] | None:
    found = con.execute("select digest, chain from hot.ledger where night = ?", [night]).fetchall()
    return dict(zip(("digest", "chain"), found[0], strict=True)) if found else None


def _stored(con: DuckDBPyConnection, store: Store, night: str) -> pl.DataFrame:
    """Return what hot and cold hold of a night."""
    query = union(con, TRIALS, cold_files(store, TRIALS), f"night = {literal(night)}")
    return TRIALS.conform(con.sql(query).pl())


def _chain(
    con: DuckDBPyConnection, store: Store, night: str, content: str, *, rows: int, now: datetime
) -> str:
    """Write the night's row in the chain, after the last one; return its hash."""
    last = con.execute(
        "select sequence, chain from hot.ledger order by sequence desc limit 1"
    ).fetchall()
    sequence, previous = last[0] if last else (0, GENESIS)
    link = {
        "sequence": sequence + 1,
        "night": night,
        "rows": rows,
        "digest": content,
        "previous": previous,
        "chain": chained(previous, content, night),
        "chained_at": now,
        "source": "nightjar",
        "ingested_at": now,
    }
    frame = pl.DataFrame([link], schema=LEDGER.schema).with_columns(pl.col("chained_at").cast(TIME))
    merge_rows(con, store, LEDGER, frame, now=now, again=False)
    return str(link["chain"])


class LedgerFault(msgspec.Struct, frozen=True):
    """Something that `verify` found: which night, what kind, and a sentence.

    Kinds: `sequence`, `link`, `chain`, `rows`, `missing`, `changed`, `extra`, `noted`; and
    `not_chained`, which is no breach: the night is from before there was a chain.
    """

    night: str
    kind: str
    says: str

    @property
    def broken(self) -> bool:
        """Whether the ledger is not what the nights wrote."""
        return self.kind != NOT_CHAINED


def verify(store: Store) -> list[LedgerFault]:
    """Return what is wrong with the ledger; no fault with `broken` means that it is whole.

    Every night's trials are read, from hot and cold alike, and their digest made anew.

    Raises:
        StoreDamaged: a file cannot be read at all.
    """
    links = sql("from ledger order by sequence, night", store=store).to_dicts()
    stored = sql(
        "select night, count(*) as rows, bool_and(text is null) as older from trials "
        "group by night order by night",
        store=store,
    )
    counts = dict(stored.select("night", "rows").iter_rows())
    return [
        *_faults_of_chain(links),
        *(fault for link in links for fault in _faults_of_rows(store, link, counts)),
        *_faults_of_others(links, stored),
        *_faults_of_notes(store, links),
    ]


def _faults_of_chain(links: list[dict[str, Any]]) -> Iterator[LedgerFault]:
    """Yield where places are not 1, 2, 3 …, and where a hash is not that of what it stands for."""
    before = GENESIS
    for place, link in enumerate(links, 1):
        night = link["night"]
        if link["sequence"] != place:
            says = f"expected place {place} in the chain, was {link['sequence']}"
            yield LedgerFault(night, "sequence", says)
        if link["previous"] != before:
            says = f"expected to follow {before}, was {link['previous']}"
            yield LedgerFault(night, "link", says)
        if link["chain"] != (expected := chained(link["previous"], link["digest"], night)):
            yield LedgerFault(night, "chain", f"expected {expected}, was {link['chain']}")
        before = link["chain"]


def _faults_of_rows(
    store: Store, link: dict[str, Any], counts: dict[str, int]
) -> Iterator[LedgerFault]:
    """Yield where a night's trials are not those that were chained."""
    night, rows = link["night"], link["rows"]
    was = counts.get(night, 0)
    if not was:
        yield LedgerFault(night, "missing", f"expected {rows:,} trials, was none")
        return
    if was != rows:
        yield LedgerFault(night, "rows", f"expected {rows:,} trials, was {was:,}")
    found = sql("from trials where night = $night", {"night": night}, store=store)
    try:
        content = digest(found)
    except ContractBroken as error:  # a key twice
        content = str(error)
    if content != link["digest"]:
        says = f"expected trials of digest {link['digest']}, was {content}"
        yield LedgerFault(night, "changed", says)


def _faults_of_others(links: list[dict[str, Any]], stored: pl.DataFrame) -> Iterator[LedgerFault]:
    """Yield the nights with trials that the chain does not know."""
    known = {link["night"] for link in links}
    for night, rows, older in stored.iter_rows():
        if night in known:
            continue
        if older:  # nights before the chain kept no texts
            says = f"{rows:,} trials are from before there was a chain"
            yield LedgerFault(night, NOT_CHAINED, says)
        else:
            yield LedgerFault(night, "extra", f"{rows:,} trials are not in the chain")


def _faults_of_notes(store: Store, links: list[dict[str, Any]]) -> Iterator[LedgerFault]:
    """Yield where a night noted another hash than the chain has, so that no tail can be cut off."""
    chains = {link["night"]: link["chain"] for link in links}
    noted = sql("select night, ledger from nights where ledger is not null order by 1", store=store)
    for night, chain in noted.iter_rows():
        if chain != (was := chains.get(night)):
            says = f"the night noted {chain}, the chain has {was or 'no such night'}"
            yield LedgerFault(night, "noted", says)


def contents(store: Store) -> pl.DataFrame:
    """Return one row per night: its place, its rows, distinct strategies, digest and hash.

    Columns: sequence, night, rows, strategies, digest, chain, chained_at; in the order of the
    chain, nights from before it first, with nulls.
    """
    return sql(
        "select l.sequence, night, coalesce(t.rows, 0) as rows, "
        "coalesce(t.strategies, 0) as strategies, l.digest, l.chain, l.chained_at "
        "from ledger l full join (select night, count(*) as rows, "
        "count(distinct strategy_id) as strategies from trials group by night) t using (night) "
        "order by l.sequence nulls first, night",
        store=store,
    )
