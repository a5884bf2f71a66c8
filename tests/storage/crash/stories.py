"""What is killed: the ways in which a store changes, each as one call that may be run again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import duckdb
import polars as pl

from core.datasets import CANDLES, DATASETS
from storage import hot, landing, quarantine
from storage.archive import archive
from storage.care.doctor import doctor
from storage.cold import cold_files
from storage.hot_file import reading
from storage.lake import sql
from storage.schema import columns, hot_ddl, values
from storage.tiers import union
from storage.vacuum import vacuum_unless_read
from tasks.settle import settle_together
from tests.storage.samples import START, candles, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.receipts import Receipt
    from storage.store import Store

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LATER = timedelta(hours=1)  # between a run that died and the next one


@dataclass(frozen=True)
class Story:
    """A way to change a store: `prepare` makes one to begin with, `act` is what may die."""

    name: str
    prepare: Callable[[Store], None]
    act: Callable[[Store, datetime], None]
    returned: Callable[[], list[pl.DataFrame]] = list  # what sources returned, if any did
    sound: bool = True  # whether the store is sound before it is run
    resumes: bool = False  # whether a run goes on from where the one before it was killed


def batches() -> list[pl.DataFrame]:
    """Return what sources return: overlaps, revisions, bad rows, a batch that a gate refuses."""
    first = candles(80, start=START + timedelta(minutes=80))  # from March into April
    again = candles([*range(60, 140)], start=START + timedelta(minutes=80)).with_columns(
        close=pl.when(pl.col("trades") % 7 == 3).then(101.0).otherwise("close")
    )
    bad = candles(60, symbol="ETH-USDT").with_columns(
        volume=pl.when(pl.col("trades") % 20 == 9).then(-1.0).otherwise("volume")
    )
    worse = candles(20, symbol="SOL-USDT").with_columns(
        volume=pl.when(pl.col("trades") % 3 == 0).then(-1.0).otherwise("volume")
    )
    return [first, bad, again, worse]


def _ingest(store: Store, now: datetime) -> None:
    """Collect as the flow does: settle what lies there, then land the answers and settle them."""
    settle_together(store, landing.pending(store), now)
    landed: list[Receipt] = []
    for number, frame in enumerate(batches()):
        stamped = frame.with_columns(ingested_at=pl.lit(now + number * SECOND).cast(NOW_TYPE))
        landed.append(landing.land(store, "candles", stamped, source="test", now=now))
        if number % 2:  # some wait for others
            settle_together(store, landed, now)
            landed = []


NOW_TYPE = CANDLES.columns["ingested_at"]


def _landed(store: Store) -> None:
    """Land batches of several months, none of which is merged."""
    for number, frame in enumerate(_clean_batches()):
        stamped = frame.with_columns(ingested_at=pl.lit(NOW + number * SECOND).cast(NOW_TYPE))
        landing.land(store, "candles", stamped, source="test", now=NOW + number * SECOND)


def _clean_batches() -> list[pl.DataFrame]:
    early = candles(90, close=103.0)
    return [
        candles(120),
        early.tail(60),
        candles(60, symbol="ETH-USDT"),
        candles([*range(50, 200)]),
    ]


def _merge(store: Store, now: datetime) -> None:
    """Merge what lies in landing, unjudged: the gate writes nothing."""
    for receipt in landing.pending(store):
        rows = landing.read_batch(store, receipt)
        hot.merge(store, "candles", rows, batch=receipt.path, now=now)


def _two_tiers(store: Store) -> None:
    """Make a store with a month in cold, rows of the same and another month in hot, and trials."""
    _landed(store)
    _merge(store, NOW)
    archive(store, "candles", now=NOW, hot_days=0)
    late = candles([*range(30, 400)], close=104.0, ingested_at=NOW + LATER)
    hot.merge(store, "candles", late, batch="late", now=NOW)
    hot.put(store, "trials", rows_of(DATASETS["trials"], 12), now=NOW)


def _archive(store: Store, now: datetime) -> None:
    for dataset in ("candles", "trials"):
        archive(store, dataset, now=now, hot_days=0)


_FIRST_TABLES = ("candles", "strategies", "backtests", "trials", "nights", "promotions")


def _first_format(store: Store) -> None:
    """Make a store as the first version left it: fewer tables, fewer columns, one migration."""
    store.home.mkdir(parents=True)
    with duckdb.connect(store.hot_path) as con:
        con.execute("set TimeZone = 'UTC'")
        con.execute(
            "create table schema_migrations (version INTEGER, name VARCHAR, applied_at TIMESTAMPTZ)"
        )
        con.execute("insert into schema_migrations values (1, 'make the first tables', now())")
        con.execute(
            "create table batches "
            "(batch VARCHAR, dataset VARCHAR, state VARCHAR, rows BIGINT, settled_at TIMESTAMPTZ)"
        )
        con.execute(
            "create table files (dataset VARCHAR, path VARCHAR, rows BIGINT, sha256 VARCHAR, "
            "written_at TIMESTAMPTZ)"
        )
        for name in (*_FIRST_TABLES, "revisions", "verdicts"):
            declared = DATASETS[name]
            con.execute(hot_ddl(declared))
            con.register("given", rows_of(declared, 40))
            con.execute(f'insert into "{name}" by name from given')
            con.unregister("given")
            for column in declared.since:
                con.execute(f'alter table "{name}" drop column "{column}"')


def _migrate(store: Store, now: datetime) -> None:
    hot.put(store, "candles", candles(3, symbol="NEW-USDT", ingested_at=NOW), now=now)


def _untidy(store: Store) -> None:
    """Make a store whose lake has what interrupted runs left: files that no log names."""
    _two_tiers(store)
    [*files] = (store.home / "lake" / "candles").rglob("*.parquet")
    for file in files:
        (file.parent / f"part-00000-left-{file.name}").write_bytes(file.read_bytes())


def _tidy(store: Store, now: datetime) -> None:
    _archive(store, now)
    for dataset in ("candles", "trials"):
        vacuum_unless_read(store, DATASETS[dataset], now=now)


def _damaged(store: Store) -> None:
    """Make a store with a flipped bit in a file of the lake, whose rows landing still has."""
    _landed(store)
    _merge(store, NOW)
    archive(store, "candles", now=NOW, hot_days=0)
    file = min((store.home / "lake" / "candles").rglob("*.parquet"))
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def _repair(store: Store, now: datetime) -> None:
    doctor(store, now=now)


STORIES = {
    story.name: story
    for story in (
        Story("ingest", lambda _: None, _ingest, batches),
        Story("merge", _landed, _merge, _clean_batches, resumes=True),
        Story("archive", _two_tiers, _archive, resumes=True),
        Story("migration", _first_format, _migrate),
        Story("compaction", _untidy, _tidy, resumes=True),
        Story("repair", _damaged, _repair, sound=False),
    )
}


def _tells_when(column: str) -> bool:
    """Whether a column says when something came to be known, or is named after that."""
    return column.endswith("_at") or column in {"verdict_id", "batch"}


def content(store: Store) -> dict[str, pl.DataFrame]:
    """Return all that a store says, but for when it came to know it."""
    found = {}
    with reading(store) as con:
        for name, dataset in DATASETS.items():
            said = [column for column in dataset.columns if not _tells_when(column)]
            query = union(con, dataset, cold_files(store, dataset))
            rows = con.sql(f"select distinct {columns(said)} from ({query}) order by all")
            found[name] = rows.pl()
    found["quarantine"] = _held(store)
    return found


def _held(store: Store) -> pl.DataFrame:
    rows = quarantine.read(store, "candles")
    said = [*CANDLES.key, *values(CANDLES), "source", "reasons"]
    return rows.select(said).with_columns(pl.col("reasons").list.join(",")).unique().sort(said)


def unaccounted(store: Store, returned: list[pl.DataFrame]) -> list[str]:
    """Return the rows of sources that are not in the store exactly once, nor told of elsewhere.

    A row is told of when the store holds its key with its values, or when `revisions` has its
    values, or quarantine holds it with a reason, or a gate refused its batch, which stays landed.
    """
    if not returned:
        return []
    key = list(CANDLES.key)
    said = [*key, *values(CANDLES)]
    rows = pl.concat(returned).select(said).unique()
    stored = sql("from candles", store=store)
    problems = []
    if twice := stored.select(key).is_duplicated().sum():
        problems.append(f"{twice} stored rows share a key")
    held = quarantine.read(store, "candles")
    if held.filter(pl.col("reasons").list.len() == 0).height:
        problems.append("rows in quarantine without a reason")
    refused = sql("select batch from batches where state = 'refused'", store=store)["batch"]
    why = sql("select batch, reason from verdicts where not passed", store=store)
    if set(refused) - set(why.filter(pl.col("reason").is_not_null())["batch"]):
        problems.append("batches refused without a reason")
    lying = [pl.read_parquet(store.home / batch, hive_partitioning=False) for batch in refused]
    elsewhere = [frame.select(said) for frame in (stored, held, *lying)]
    lost = rows.join(pl.concat(elsewhere).unique(), on=said, how="anti", nulls_equal=True)
    revised = sql("select count(*) from revisions", store=store).item()
    gone = lost.join(stored, on=key, how="anti").height
    if gone:
        problems.append(f"{gone} rows are nowhere")
    if lost.height > revised:
        problems.append(f"{lost.height} values were replaced, {revised} are in revisions")
    return problems
