"""Data Docs: pages that need no network, run nothing, and do not grow without bound."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest

from core.datasets import CANDLES
from expectations.data_docs import PAGES, write_data_docs
from expectations.gate import gate
from tests.expectations.rows import NOW, bar, bars, frame

if TYPE_CHECKING:
    from pathlib import Path

    from expectations.verdict import Verdict

EVIL = "<script>alert(1)</script>--><img src=x onerror=alert(2)>"


@pytest.fixture(scope="module")
def passed() -> Verdict:
    return gate("candles", bars([100.0] * 30 + [130.0]), now=NOW, name="landing/one.parquet")


@pytest.fixture(scope="module")
def evil() -> Verdict:
    """Refused, with hostile text wherever a venue could put it."""
    rows = [bar(minute, symbol=EVIL, interval=EVIL, source=EVIL) for minute in range(3)]
    return gate("candles", frame(CANDLES, rows), now=NOW + timedelta(minutes=1), name=EVIL)


def pages(folder: Path) -> list[Path]:
    return sorted((folder / PAGES).iterdir())


def test_a_page_shows_the_verdict_and_each_expectation(passed: Verdict, tmp_path: Path) -> None:
    index = write_data_docs([passed], tmp_path / "docs")
    assert index == tmp_path / "docs" / "index.html"
    (page,) = pages(tmp_path / "docs")
    text = page.read_text()
    assert "landing/one.parquet" in text
    assert "price_jump 1" in text
    assert "ohlc_inconsistent: low ≤ open, close ≤ high" in text
    assert "Unexpected Value" in text
    assert f"href='{PAGES}/{page.name}'" in index.read_text()
    assert "../index.html" in text


def test_pages_load_nothing_and_run_nothing(passed: Verdict, evil: Verdict, tmp_path: Path) -> None:
    index = write_data_docs([passed, evil], tmp_path)
    for page in [index, *pages(tmp_path)]:
        text = page.read_text()
        assert not re.findall(r"<(?:script|link|iframe|object|form)\b", text)
        assert not re.findall(r"<img\b", text)
        assert not re.findall(r"<\w[^>]*\s(?:src|href)=(?!'\.\./index\.html|'verdicts/)", text)
        assert "default-src 'none'" in text
        assert text.index("Content-Security-Policy") < text.index(
            "<body" if "<body" in text else "<h1"
        )


def test_the_index_lists_the_newest_first(passed: Verdict, evil: Verdict, tmp_path: Path) -> None:
    write_data_docs([passed], tmp_path)
    text = write_data_docs([evil], tmp_path).read_text()
    assert text.index(">refused<") < text.index(">passed<")
    assert "2026-06-10T00:01:00Z" in text
    assert "&lt;script&gt;" in text
    assert text.count("<tr>") == 3


def test_the_same_verdict_twice_is_one_page(passed: Verdict, tmp_path: Path) -> None:
    write_data_docs([passed, passed], tmp_path)
    write_data_docs([passed], tmp_path)
    assert len(pages(tmp_path)) == 1


def test_a_batch_that_could_not_be_judged_has_a_page_too(tmp_path: Path) -> None:
    verdict = gate("candles", pl.DataFrame({"x": [1]}), now=NOW, name="landing/x.parquet")
    write_data_docs([verdict], tmp_path)
    (page,) = pages(tmp_path)
    assert "columns missing" in page.read_text()


def test_only_the_last_pages_are_kept(tmp_path: Path) -> None:
    verdicts = [
        gate("candles", pl.DataFrame(), now=NOW + timedelta(days=day), name="x") for day in range(9)
    ]
    for verdict in verdicts:
        index = write_data_docs([verdict], tmp_path, keep=4)
    kept = pages(tmp_path)
    assert [page.name[:8] for page in kept] == ["20260615", "20260616", "20260617", "20260618"]
    assert index.read_text().count(f"href='{PAGES}/") == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index.html", PAGES]


def test_no_verdict_leaves_an_index_of_none(tmp_path: Path) -> None:
    assert "The last 0 verdicts" in write_data_docs([], tmp_path).read_text()


def test_a_foreign_file_among_the_pages_is_not_listed(passed: Verdict, tmp_path: Path) -> None:
    write_data_docs([passed], tmp_path)
    (tmp_path / PAGES / "zzz.html").write_text("<p>mine</p>")
    assert "zzz" not in write_data_docs([], tmp_path).read_text()


def test_steps_that_write_at_once_leave_every_page(tmp_path: Path) -> None:
    verdicts = [
        gate("candles", pl.DataFrame(), now=NOW + timedelta(days=day), name="x")
        for day in range(16)
    ]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda verdict: write_data_docs([verdict], tmp_path, keep=10), verdicts))
    text = write_data_docs([], tmp_path, keep=10).read_text()
    assert len(pages(tmp_path)) == 10
    assert text.count(f"href='{PAGES}/") == 10
