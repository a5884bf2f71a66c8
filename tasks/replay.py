"""Steps of a replay: what a past night was asked, what changed since, where it now differs.

A night is decided by its data, its code, the libraries, its settings and its seed, all of which
its manifest holds. So a night that is run again gives the same rows, or one of them changed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl
from prefect import task
from pydantic import ValidationError

from core.clock import parse_utc, utc_now
from core.datasets import BACKTESTS, CANDIDATES, LEDGER, NIGHTS, PROMOTIONS, STRATEGIES, TRIALS
from core.errors import InvalidInput, NothingStored, SettingsError
from core.settings import CostSettings, Settings, VettingSettings, load
from core.version import code_version, lock_version
from storage import ledger, stages
from storage.differences import Comparison, Difference, compare
from storage.lake import sql
from storage.store import Store, default_store
from tasks.bars import snapshot
from tasks.judge import judged
from tasks.nightly import Answer, Night, Question
from tasks.steps import ONCE, log

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.datasets import Dataset
    from core.receipts import Receipt

SUFFIX = "-replay"
UNKNOWN = "unknown"
# What says where and when a row came from; and what paper trading changes after the night.
_NOT_MADE = {"source", "ingested_at", "status"}
# Which night first bred a strategy, and when, is not this night's to say.
_OF_A_STRATEGY = ("text", "timeframe", "side", "conditions")
# What the row of a night says of the worlds, where it was written by a night that had them.
_OF_A_NIGHT = ("trials", "promoted", "worlds", "permuted_worlds", "null_scores", "permuted_scores")


class Past(msgspec.Struct, frozen=True):
    """A night as it is stored: its name, its manifest and its row in `nights`."""

    night: str
    manifest: dict[str, Any]
    row: dict[str, Any]


class Change(msgspec.Struct, frozen=True):
    """Something that decides a night, and that is not what it was."""

    what: str
    then: str
    now: str


class ReplaySummary(msgspec.Struct, frozen=True):
    """How a replay went: equal or not, what had changed before it, where it differs."""

    night: str
    equal: bool
    changes: tuple[Change, ...]
    tables: tuple[Comparison, ...]
    timings: dict[str, float]
    kept: str | None  # where the replay's stages lie, where they differ


def recall(store: Store, night: str) -> Past:
    """Return a stored night by its name, or by the beginning of it where only one begins so.

    Raises:
        NothingStored: No night is called so; the text names the last ones.
        InvalidInput: Several nights begin so.
    """
    known = sql("select night from nights order by as_of desc, night", store=store)["night"]
    found = [night] if night in known else [name for name in known if name.startswith(night)]
    if len(found) > 1:
        raise InvalidInput(f"expected the name of one night, was {night!r}: {', '.join(found)}")
    if not found:
        last = ", ".join(known[:5]) or "none has run here yet"
        raise NothingStored(f"no night {night!r} is stored; the last ones: {last}")
    row = sql("from nights where night = $night", {"night": found[0]}, store=store).row(
        0, named=True
    )
    return Past(found[0], json.loads(row["manifest"]), row)


def question_of(past: Past, settings: Settings) -> Question:
    """Return what a night was asked; where the work is done is today's to say.

    Raises:
        SettingsError: The night had settings, or a form, that this nightjar does not know.
    """
    asked = past.manifest
    try:
        return Question(
            as_of=parse_utc(asked["as_of"]),
            venue=asked["venue"],
            symbols=tuple(asked["symbols"]),
            interval=asked["interval"],
            days=asked["days"],
            strategies=asked["strategies"],
            generations=asked["generations"],
            seed=asked["seed"],
            costs=CostSettings.model_validate(asked["costs"]),
            vetting=VettingSettings.model_validate(asked["vetting"]),
            workers=settings.workers,
            dask=settings.dask,
            lenders=tuple(asked.get("lenders", ())),
        )
    except KeyError as error:
        reason = f"its manifest lacks {error}"
    except ValidationError as error:
        reason = "; ".join(
            f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
            for problem in error.errors(include_url=False)
        )
    raise SettingsError(f"night {past.night} cannot be asked again by this nightjar: {reason}")


def again(past: Past) -> Night:
    """Return the night as it was pinned, under a name of its own for what its stages leave."""
    question = question_of(past, load())
    return Night(past.night + SUFFIX, question, question.symbols, past.manifest, utc_now())


def changes(store: Store, past: Past, question: Question) -> list[Change]:
    """Return what decides the night and is not what it was; empty where it must come out equal."""
    present = {
        "data": snapshot(
            store,
            venue=question.venue,
            symbols=question.symbols,
            interval=question.interval,
            start=question.start,
            end=question.as_of,
            lenders=question.lenders,
        ),
        "code": code_version(),
        "lock": lock_version(),
    }
    return [
        Change(what, then, now)
        for what, now in present.items()
        if (then := str(past.manifest.get(what, UNKNOWN))) != now
    ]


@task(task_run_name="recall {name}", **ONCE)
def prepare(name: str) -> tuple[Past, Night, list[Change]]:
    """Find the night, say what changed since, and clear the room for its stages."""
    store = default_store()
    past = recall(store, name)
    night = again(past)
    changed = changes(store, past, night.question)
    for change in changed:
        log.warning(
            "the %s of %s is not what it was (%s then, %s now): the replay may differ",
            *(change.what, past.night, change.then, change.now),
        )
    stages.forget(store, night.night)
    return past, night, changed


@task(task_run_name="compare with {past.night}", **ONCE)
def compare_night(past: Past, night: Night, made: Answer) -> list[Comparison]:
    """Return how each table that the night wrote compares with what was made again."""
    store = default_store()

    def remade(dataset: Dataset, receipt: Receipt) -> pl.DataFrame:
        return dataset.conform(stages.read(store, receipt).with_columns(night=pl.lit(past.night)))

    trials = remade(TRIALS, made.trials)
    promotions = remade(PROMOTIONS, made.promotions)
    compared = [
        compare(
            STRATEGIES,
            _bred(store, past.night),
            remade(STRATEGIES, made.strategies),
            columns=_OF_A_STRATEGY,
        ),
        _compared(store, past, BACKTESTS, remade(BACKTESTS, made.backtests)),
        _compared(store, past, TRIALS, trials),
        _compared(store, past, CANDIDATES, remade(CANDIDATES, made.candidates)),
        _compared(store, past, PROMOTIONS, promotions),
        _of_worlds(past, night, trials.height, promotions.height),
    ]
    chained = _chained(store, past.night, trials)
    return compared if chained is None else [*compared, chained]


def conclude(
    past: Past,
    night: Night,
    changed: Sequence[Change],
    tables: Sequence[Comparison],
    timings: dict[str, float],
) -> ReplaySummary:
    """Say how it went; what the stages left goes where it is equal, and else stays for a look."""
    store, equal = default_store(), all(table.equal for table in tables)
    if equal:
        stages.forget(store, night.night)
    log.info("%s is %s", past.night, "equal" if equal else "not what it was")
    kept = None if equal else str(store.home / stages.FOLDER / night.night)
    return ReplaySummary(past.night, equal, tuple(changed), tuple(tables), timings, kept)


def _compared(store: Store, past: Past, dataset: Dataset, frame: pl.DataFrame) -> Comparison:
    stored = sql(
        f"from {dataset.name} where night = $night",
        {"night": past.night},
        store=store,
    )
    columns = [name for name in dataset.columns if name not in {*dataset.key, *_NOT_MADE}]
    return compare(dataset, dataset.conform(stored), frame, columns=columns)


def _bred(store: Store, night: str) -> pl.DataFrame:
    """Return the strategies that a night backtested, whichever night first bred them."""
    return STRATEGIES.conform(
        sql(
            "from strategies where night = $night or strategy_id in "
            "(select strategy_id from backtests where night = $night)",
            {"night": night},
            store=store,
        )
    )


def _of_worlds(past: Past, night: Night, trials: int, promoted: int) -> Comparison:
    """Compare what the null worlds gave, and the counts that the night's row has."""
    judgement = judged(night)
    found = {
        "trials": trials,
        "promoted": promoted,
        "worlds": len(judgement.mirrored),
        "permuted_worlds": len(judgement.permuted),
        "null_scores": [world.score for world in judgement.mirrored],
        "permuted_scores": [world.score for world in judgement.permuted],
    }
    columns = [name for name in _OF_A_NIGHT if past.row[name] is not None]
    schema = {name: NIGHTS.columns[name] for name in (*NIGHTS.key, *columns)}

    def row(values: dict[str, Any]) -> pl.DataFrame:
        said = {name: values[name] for name in columns}
        return pl.DataFrame([{"night": past.night} | said], schema=schema)

    return compare(NIGHTS, row(past.row), row(found), columns=columns)


def _chained(store: Store, night: str, trials: pl.DataFrame) -> Comparison | None:
    """Compare the digest that the ledger has of the night, None where it has none."""
    link = sql("select digest from ledger where night = $night", {"night": night}, store=store)
    if link.is_empty():
        return None
    stored, now = link["digest"][0], ledger.digest(trials)
    said = () if stored == now else (Difference(LEDGER.name, night, "digest", stored, now),)
    return Comparison(LEDGER.name, 1, len(said), said)
