"""Texts of posts are forgotten in every place, and nothing else is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest

from core.datasets import SOCIAL_POSTS
from core.errors import InvalidInput
from expectations.gate import gate
from storage import archive, hot, landing, quarantine
from storage.care.doctor import doctor
from storage.forget import Forgotten, forget_texts
from storage.hot_file import reading
from storage.lake import sql
from storage.scrub import scrub

if TYPE_CHECKING:
    from storage.store import Store

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
BEFORE = NOW - timedelta(days=30)
SECRET = "a canary sings of bitcoin"


def posts(first: int, count: int, time: datetime, text: str | None = SECRET) -> pl.DataFrame:
    rows = [
        {
            "network": "twitter",
            "post_id": str(first + number),
            "time": time + timedelta(seconds=number),
            "author": "somebody",
            "text": None if text is None else f"{text} {first + number}",
            "assets": ["BTC"],
            "likes": number,
            "source": "twitter:rest",
            "ingested_at": time + timedelta(hours=1),
        }
        for number in range(count)
    ]
    return pl.DataFrame(rows, schema=SOCIAL_POSTS.schema)


def keep(store: Store, rows: pl.DataFrame, now: datetime) -> str:
    """Land and merge rows; return the landing file."""
    receipt = landing.land(store, "social_posts", rows, source="twitter", now=now)
    hot.merge(store, "social_posts", rows, batch=receipt.path, now=now)
    return receipt.path


def lies_in(store: Store, text: str) -> list[str]:
    """Return the files under the store in which a text can be found."""
    found = []
    for path in sorted(p for p in store.home.rglob("*") if p.is_file()):
        data = path.read_bytes()
        if path.suffix == ".parquet":
            data += b"|".join(str(row).encode() for row in pl.read_parquet(path).rows())
        if text.encode() in data:
            found.append(path.relative_to(store.home).as_posix())
    return found


def texts(store: Store) -> dict[str, str | None]:
    rows = sql("select post_id, text from social_posts order by post_id", store=store)
    return dict(rows.iter_rows())


def test_old_texts_leave_hot_and_landing_and_young_ones_stay(store: Store) -> None:
    keep(store, posts(0, 50, BEFORE - timedelta(days=1)), NOW)
    keep(store, posts(100, 50, BEFORE + timedelta(days=1), "still young"), NOW)
    assert lies_in(store, SECRET)
    found = forget_texts(store, before=BEFORE, now=NOW)
    assert found == Forgotten(hot=50, landed=50)
    assert lies_in(store, SECRET) == []
    kept = texts(store)
    assert [kept[str(n)] for n in range(50)] == [None] * 50
    assert [kept[str(n)] for n in range(100, 150)] == [f"still young {n}" for n in range(100, 150)]
    rest = sql(
        "select sum(likes) as likes, count(author) as authors from social_posts", store=store
    )
    assert rest.row(0) == (2 * sum(range(50)), 100)
    assert forget_texts(store, before=BEFORE, now=NOW).texts == 0


def test_a_text_is_kept_to_the_moment(store: Store) -> None:
    keep(store, posts(0, 3, BEFORE - timedelta(seconds=1)), NOW)
    forget_texts(store, before=BEFORE, now=NOW)
    assert [text is None for text in texts(store).values()] == [True, False, False]


def test_old_texts_leave_the_lake_and_its_files(any_store: Store) -> None:
    store = any_store
    old, young = NOW - timedelta(days=100), BEFORE + timedelta(hours=1)
    keep(store, posts(0, 20, old), NOW)
    keep(store, posts(100, 20, young, "still young"), NOW)
    assert archive.archive(store, "social_posts", now=NOW, hot_days=1, whole_months=False)
    before = sql("select * exclude text from social_posts order by post_id", store=store)
    found = forget_texts(store, before=BEFORE, now=NOW)
    assert (found.cold, found.later) == (20, False)
    after = sql("select * exclude text from social_posts order by post_id", store=store)
    assert after.equals(before)
    kept = texts(store)
    assert sum(text is None for text in kept.values()) == 20
    assert kept["100"] == "still young 100"
    assert lies_in(store, SECRET) == []
    assert scrub(store) == []
    assert forget_texts(store, before=BEFORE, now=NOW).texts == 0


def test_old_texts_leave_quarantine_by_when_they_came(store: Store) -> None:
    rows = pl.concat(
        [posts(0, 2, BEFORE - timedelta(days=1)), posts(5, 1, NOW + timedelta(days=9))]
    )
    held = rows.with_columns(reasons=pl.lit(["in_future"], pl.List(pl.String)))
    quarantine.write(store, "social_posts", held, batch="one", now=BEFORE - timedelta(hours=1))
    assert forget_texts(store, before=BEFORE, now=NOW).quarantined == 3
    found = quarantine.read(store, "social_posts")
    assert found["text"].null_count() == found.height == 3
    assert found["reasons"].to_list() == [["in_future"]] * 3
    for path in (store.quarantine / "social_posts").glob("*.parquet"):
        quarantine.check_file(path)
    assert lies_in(store, SECRET) == []


def test_a_batch_that_waits_still_arrives_without_its_old_texts(store: Store) -> None:
    rows = pl.concat(
        [posts(0, 2, BEFORE - timedelta(days=1)), posts(5, 1, NOW - timedelta(days=1), "young")]
    )
    landing.land(store, "social_posts", rows, source="twitter", now=NOW)
    assert forget_texts(store, before=BEFORE, now=NOW) == Forgotten(landed=2)
    (receipt,) = landing.pending(store)
    assert landing.read_batch(store, receipt)["text"].to_list() == [None, None, "young 5"]
    assert receipt.source == "twitter"
    assert lies_in(store, SECRET) == []


def test_a_refused_batch_is_forgotten_too(store: Store) -> None:
    rows = posts(0, 2, BEFORE - timedelta(days=1))
    receipt = landing.land(store, "social_posts", rows, source="twitter", now=NOW)
    verdict = gate("social_posts", rows.drop("author"), now=NOW, name=receipt.path)
    assert not verdict.passed
    hot.refuse(store, receipt.path, verdict.as_row(NOW), NOW)
    assert forget_texts(store, before=BEFORE, now=NOW) == Forgotten(landed=2)
    assert lies_in(store, SECRET) == []


def test_revisions_keep_no_text_but_what_else_changed(store: Store) -> None:
    keep(store, posts(0, 1, NOW - timedelta(days=1)), NOW)
    edited = posts(0, 1, NOW - timedelta(days=1), "edited").with_columns(
        likes=pl.lit(7, pl.Int64), ingested_at=pl.lit(NOW)
    )
    keep(store, edited.cast(SOCIAL_POSTS.schema), NOW)
    assert SECRET in sql("select old from revisions", store=store)["old"][0]
    assert forget_texts(store, before=BEFORE, now=NOW).revisions == 1
    old, new = sql("select old, new from revisions", store=store).row(0)
    assert (old, new) == ('{"likes":0}', '{"likes":7}')
    assert texts(store) == {"0": "edited 0"}


def test_an_empty_store_has_nothing_to_forget(store: Store) -> None:
    assert forget_texts(store, before=BEFORE, now=NOW) == Forgotten()
    with pytest.raises(InvalidInput, match="expected a moment before"):
        forget_texts(store, before=NOW, now=NOW)


def test_a_store_that_forgot_is_whole_and_goes_on(store: Store) -> None:
    keep(store, posts(0, 20, BEFORE - timedelta(days=1)), NOW)
    before = schema(store)
    forget_texts(store, before=BEFORE, now=NOW)
    assert schema(store) == before
    keep(store, posts(50, 5, NOW - timedelta(days=1), "young"), NOW)
    assert len(texts(store)) == 25
    found = doctor(store, now=NOW)
    assert (found.findings, found.sound) == ((), True)


def schema(store: Store) -> list[tuple[str, ...]]:
    """Return how every hot table is declared, and how many rows it has."""
    with reading(store) as con:
        found = con.execute(
            "select table_name, sql from duckdb_tables() where database_name = 'hot' order by 1"
        ).fetchall()
        return [
            (*row, str(con.execute(f'select count(*) from hot."{row[0]}"').fetchall()))
            for row in found
        ]
