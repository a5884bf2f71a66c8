from __future__ import annotations

import hashlib
import struct
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.datasets import NIGHTS, TIME, TRIALS
from core.errors import ContractBroken, InvalidInput, LedgerConflict
from storage import hot, ledger
from storage.archive import archive
from storage.cold import cold_files
from storage.freezing import replace_partition
from storage.hot_file import opened
from storage.lake import sql
from storage.ledger import GENESIS, LedgerFault, append, chained, contents, digest, verify
from tests.storage.samples import NOW, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from storage.store import Store

MONDAY, TUESDAY, WEDNESDAY = (f"2026-03-{day}T0300-0badcafe" for day in (30, 31, 29))


def trials(night: str = MONDAY, count: int = 5, **columns: Any) -> pl.DataFrame:
    frame = rows_of(TRIALS, count).with_columns(night=pl.lit(night))
    return TRIALS.conform(frame.with_columns(**{n: pl.lit(v) for n, v in columns.items()}))


def hurt(store: Store, statement: str, *values: Any) -> None:
    """Change the hot file behind the ledger's back."""
    with opened(store, now=NOW) as con:
        con.execute(statement, [*values])


@pytest.fixture
def three(store: Store) -> Store:
    """Return a store with three nights in its ledger."""
    for night in (MONDAY, TUESDAY, WEDNESDAY):
        append(store, night, trials(night), now=NOW)
    assert verify(store) == []
    return store


def kinds(store: Store) -> list[tuple[str, str]]:
    return [(fault.night, fault.kind) for fault in verify(store)]


# The digest.


@given(st.permutations(range(5)), st.permutations(list(TRIALS.columns)))
def test_the_digest_does_not_depend_on_the_order_of_rows_or_columns(rows, columns) -> None:
    assert digest(trials()[rows].select(columns)) == digest(trials())


@given(st.permutations(range(1, 4)))
def test_the_digest_does_not_depend_on_how_the_rows_lie_in_memory(cuts) -> None:
    frame = trials()
    parts = [frame.slice(0, cuts[0]), frame.slice(cuts[0])]
    assert digest(pl.concat(parts, rechunk=False)) == digest(frame)


def test_the_digest_does_not_know_who_stored_a_row_and_when() -> None:
    later = trials().with_columns(source=pl.lit("x"), ingested_at=pl.lit(NOW + timedelta(1)))
    assert digest(TRIALS.conform(later)) == digest(trials())


CHANGES: dict[str, Callable[[Any], Any]] = {
    "String": lambda value: value + " ",
    "Float64": lambda value: value * (1 + 2**-52),
    "Int64": lambda value: value + 1,
    "List(Float64)": lambda value: [*value[:-1], 0.0] if value else [0.0],
    "List(String)": lambda value: [*value, ""],
    str(TIME): lambda value: value + timedelta(microseconds=1),
}


@pytest.mark.parametrize("name", [n for n in TRIALS.columns if n not in {"source", "ingested_at"}])
@pytest.mark.parametrize("row", [0, 1, 2])
def test_the_digest_tells_the_smallest_change_of_any_value(name: str, row: int) -> None:
    frame = trials()
    rows = frame.to_dicts()
    was = rows[row][name]
    rows[row][name] = (
        next(value[name] for value in rows if value[name] is not None)
        if was is None
        else CHANGES[str(frame.schema[name])](was)
    )
    assert digest(pl.DataFrame(rows, schema=TRIALS.schema)) != digest(frame)


def test_the_digest_tells_null_from_nothing_and_zero_from_minus_zero() -> None:
    one = trials(count=2)
    variants = [
        one.with_columns(daily_returns=pl.Series([value, [1.0]], dtype=pl.List(pl.Float64)))
        for value in (None, [], [0.0], [-0.0], [None], [0.0, 0.0])
    ]
    texts = [one.with_columns(text=pl.Series([value, "b"])) for value in (None, "", "ab")]
    found = [digest(frame) for frame in variants + texts]
    assert len(set(found)) == len(found)


def test_a_value_cannot_move_to_the_row_below() -> None:
    one = trials(count=2)
    found = {
        digest(one.with_columns(text=pl.Series(texts)))
        for texts in (["ab", "c"], ["a", "bc"], ["abc", ""])
    }
    assert len(found) == 3


def test_a_column_that_a_later_version_adds_leaves_earlier_digests_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = digest(trials())
    more = TRIALS.__class__(**(vars(TRIALS) | {"columns": {**TRIALS.columns, "new": pl.Float64()}}))
    monkeypatch.setattr(ledger, "TRIALS", more)
    frame = trials().with_columns(new=pl.lit(None, pl.Float64()))
    assert digest(frame) == before
    assert digest(frame.with_columns(new=pl.lit(0.0))) != before


def test_the_digest_can_be_made_by_hand() -> None:
    """The form that docs/ledger.md describes, of one trial with a few values."""
    given = {"night": "n", "strategy_id": "a", "venue": "v", "symbol": "*", "score": 1.5}
    given |= {"parents": ["p", "qq"], "daily_returns": [0.5, None]}
    frame = pl.DataFrame([given | {"scored_at": NOW}], schema=TRIALS.schema)

    def text(value: str) -> bytes:
        return struct.pack("<I", len(value)) + value.encode()

    micros = int(NOW.timestamp()) * 1_000_000
    by_hand = hashlib.sha256(
        b"trials 1\n"
        + b"".join(
            f"{name} VARCHAR\n".encode() + b"\x00" + text(given[name])
            for name in ("night", "strategy_id", "venue", "symbol")
        )
        + b"parents VARCHAR[]\n\x00"
        + struct.pack("<I", 2)  # how many there are, then all of them as a column
        + (b"\x00" + struct.pack("<II", 1, 2) + b"pqq")
        + (b"score DOUBLE\n\x00" + struct.pack("<d", 1.5))
        + (b"daily_returns DOUBLE[]\n\x00" + struct.pack("<I", 2))
        + (b"\x40" + struct.pack("<dd", 0.5, 0.0))
        + (b"scored_at TIMESTAMPTZ\n\x00" + struct.pack("<q", micros))
    )
    assert digest(frame) == by_hand.hexdigest()


def test_a_key_that_comes_twice_has_no_digest() -> None:
    with pytest.raises(ContractBroken, match="strategy_id, venue, symbol once"):
        digest(pl.concat([trials(), trials(count=1)]))


# Adding to it.


def test_a_night_is_chained_to_the_one_before(store: Store) -> None:
    first = append(store, MONDAY, trials(), now=NOW)
    second = append(store, TUESDAY, trials(TUESDAY, 3), now=NOW)
    assert first == chained(GENESIS, digest(trials()), MONDAY)
    assert second == chained(first, digest(trials(TUESDAY, 3)), TUESDAY)
    assert chained("a", "b", "c") == hashlib.sha256(b"abc").hexdigest()
    links = sql("from ledger order by sequence", store=store)
    assert links.select("sequence", "night", "rows", "previous", "chain").rows() == [
        (1, MONDAY, 5, GENESIS, first),
        (2, TUESDAY, 3, first, second),
    ]
    assert sql("select count(*) from trials", store=store).item() == 8


def test_the_same_night_again_changes_nothing(three: Store) -> None:
    links, rows = sql("from ledger", store=three), sql("from trials", store=three)
    again = trials(TUESDAY).reverse().with_columns(ingested_at=pl.lit(NOW + timedelta(9)))
    chain = append(three, TUESDAY, TRIALS.conform(again), now=NOW + timedelta(9))
    assert chain == links.filter(pl.col("night") == TUESDAY)["chain"].item()
    assert sql("from ledger", store=three).equals(links)
    assert sql("from trials", store=three).equals(rows)


@pytest.mark.parametrize(
    "other",
    [trials(count=4), trials(count=6), trials(score=1.0)],
    ids=["a row less", "a row more", "another value"],
)
def test_other_trials_of_the_same_night_are_refused(three: Store, other: pl.DataFrame) -> None:
    with pytest.raises(LedgerConflict, match="rows are only ever added") as refused:
        append(three, MONDAY, other, now=NOW)
    assert (refused.value.expected, refused.value.was) == (digest(trials()), digest(other))
    assert verify(three) == []


@pytest.mark.parametrize(
    ("frame", "error", "says"),
    [
        (trials().clear(), InvalidInput, "was none"),
        (trials(TUESDAY), InvalidInput, f"was '{TUESDAY}' among them"),
        (trials(scored_at=None), ContractBroken, "scored_at"),
        (trials().drop("text"), ContractBroken, "text"),
    ],
)
def test_rows_that_are_not_a_night_are_refused(store: Store, frame, error, says: str) -> None:
    with pytest.raises(error, match=says):
        append(store, MONDAY, frame, now=NOW)
    assert sql("from trials", store=store).is_empty()


@pytest.mark.parametrize("dies_at", range(4))
def test_a_night_that_was_cut_off_anywhere_is_healed_by_running_it_again(
    store: Store, monkeypatch: pytest.MonkeyPatch, dies_at: int
) -> None:
    append(store, MONDAY, trials(), now=NOW)
    steps = iter(range(9))

    def mortal(step: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            if next(steps) == dies_at:
                raise KeyboardInterrupt
            done = step(*args, **kwargs)
            if next(steps) == dies_at:
                raise KeyboardInterrupt
            return done

        return run

    with monkeypatch.context() as patched:
        patched.setattr(ledger, "merge_rows", mortal(ledger.merge_rows))
        with pytest.raises(KeyboardInterrupt):
            append(store, TUESDAY, trials(TUESDAY), now=NOW)
    assert verify(store) == []  # both rows of it or none
    assert contents(store)["night"].to_list() == [MONDAY]
    append(store, TUESDAY, trials(TUESDAY), now=NOW)
    assert verify(store) == []
    assert contents(store)["night"].to_list() == [MONDAY, TUESDAY]


def test_trials_that_were_stored_without_their_place_get_it(store: Store) -> None:
    hot.put(store, "trials", trials(), now=NOW)
    assert kinds(store) == [(MONDAY, "extra")]
    with pytest.raises(LedgerConflict):
        append(store, MONDAY, trials(count=4), now=NOW)
    append(store, MONDAY, trials(), now=NOW)
    assert verify(store) == []
    assert sql("select count(*) from trials", store=store).item() == 5


def test_nights_that_come_at_once_take_a_place_each(store: Store) -> None:
    nights = [f"night {number}" for number in range(6)]
    with ThreadPoolExecutor(6) as crew:
        list(crew.map(lambda night: append(store, night, trials(night, 2), now=NOW), nights))
    assert verify(store) == []
    assert contents(store)["sequence"].to_list() == [1, 2, 3, 4, 5, 6]


# Checking it.


def test_the_tier_of_a_night_makes_no_difference(three: Store) -> None:
    archive(three, "trials", now=NOW)
    assert cold_files(three, TRIALS)
    assert verify(three) == []
    append(three, MONDAY, trials(), now=NOW)
    with pytest.raises(LedgerConflict):
        append(three, MONDAY, trials(score=1.0), now=NOW)
    assert verify(three) == []
    assert contents(three)["rows"].to_list() == [5, 5, 5]


def test_an_empty_ledger_is_whole(store: Store) -> None:
    assert verify(store) == []
    assert contents(store).is_empty()


def test_nights_from_before_the_chain_are_said_and_are_no_breach(store: Store) -> None:
    hot.put(store, "trials", trials("before", text=None), now=NOW)
    append(store, MONDAY, trials(), now=NOW)
    (fault,) = verify(store)
    assert (fault.night, fault.kind, fault.broken) == ("before", "not_chained", False)
    assert contents(store).select("night", "sequence", "rows", "strategies").rows() == [
        ("before", None, 5, 5),
        (MONDAY, 1, 5, 5),
    ]


TAMPERED: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "a float by one bit": (
        "update hot.trials set score = score + 1e-15 where night = $1",
        [(TUESDAY, "changed")],
    ),
    "a text": (
        "update hot.trials set text = 'long when close > 2' where night = $1 and trades = 1",
        [(TUESDAY, "changed")],
    ),
    "a row removed": (
        "delete from hot.trials where night = $1 and trades = 1",
        [(TUESDAY, "rows"), (TUESDAY, "changed")],
    ),
    "a row doubled": (
        "insert into hot.trials from hot.trials where night = $1 and trades = 1",
        [(TUESDAY, "rows"), (TUESDAY, "changed")],
    ),
    "a night removed": ("delete from hot.trials where night = $1", [(TUESDAY, "missing")]),
    "a night slipped in": (
        """insert into hot.trials by name
        (select * replace (night || ' too' as night) from hot.trials where night = $1)""",
        [(f"{TUESDAY} too", "extra")],
    ),
    "a place removed": (
        "delete from hot.ledger where night = $1",
        [(WEDNESDAY, "sequence"), (WEDNESDAY, "link"), (TUESDAY, "extra")],
    ),
    "two places exchanged": (
        "update hot.ledger set sequence = 4 - sequence where $1 <> ''",
        [(WEDNESDAY, "link"), (TUESDAY, "link"), (MONDAY, "link")],
    ),
    "a digest that fits the changed trials": (
        "update hot.ledger set digest = 'x' where night = $1",
        [(TUESDAY, "chain"), (TUESDAY, "changed")],
    ),
    "a count": (
        "update hot.ledger set rows = 9 where night = $1",
        [(TUESDAY, "rows")],
    ),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_tampering_is_found_and_the_night_is_named(three: Store, what: str) -> None:
    statement, expected = TAMPERED[what]
    hurt(three, statement, TUESDAY)
    assert kinds(three) == expected
    assert all(fault.broken for fault in verify(three))


def test_a_changed_file_of_the_lake_is_found(three: Store) -> None:
    archive(three, "trials", now=NOW)
    (file,) = cold_files(three, TRIALS)
    forged = pl.read_parquet(file.path, hive_partitioning=False).with_columns(
        verdict=pl.lit("promoted")
    )
    replace_partition(three, TRIALS, file.partition, TRIALS.conform(forged))
    assert kinds(three) == [(night, "changed") for night in (MONDAY, TUESDAY, WEDNESDAY)]
    assert not Path(file.path).samefile(cold_files(three, TRIALS)[0].path)


def test_a_chain_that_was_forged_from_its_beginning_or_cut_off_disagrees_with_the_nights(
    three: Store,
) -> None:
    chain = contents(three)["chain"][-1]
    note = rows_of(NIGHTS, 1).with_columns(night=pl.lit(WEDNESDAY), ledger=pl.lit(chain))
    hot.put(three, "nights", NIGHTS.conform(note), now=NOW)
    assert verify(three) == []
    hurt(three, "delete from hot.ledger where night = ?", WEDNESDAY)
    hurt(three, "delete from hot.trials where night = ?", WEDNESDAY)
    (fault,) = verify(three)
    assert (fault.night, fault.kind) == (WEDNESDAY, "noted")
    assert fault.says == f"the night noted {chain}, the chain has no such night"
    hurt(three, "delete from hot.ledger")
    for night in (MONDAY, TUESDAY):
        hurt(three, "delete from hot.trials where night = ?", night)
        append(three, night, trials(night, verdict="kind"), now=NOW)
    append(three, WEDNESDAY, trials(WEDNESDAY), now=NOW)
    assert kinds(three) == [(WEDNESDAY, "noted")]


def test_a_fault_says_what_was_expected_and_what_it_was(three: Store) -> None:
    hurt(three, "delete from hot.trials where night = ?", MONDAY)
    assert verify(three) == [LedgerFault(MONDAY, "missing", "expected 5 trials, was none")]
