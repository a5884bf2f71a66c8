"""docs/gates.md says what the suites do."""

from __future__ import annotations

import re

import polars as pl
import pytest

from core.market import INTERVALS
from expectations.data_docs import KEEP
from expectations.gate import TOLERATED, gate
from expectations.suites import SUITES
from tests.conftest import ROOT
from tests.expectations.rows import NOW, bars

PAGE = (ROOT / "docs" / "gates.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    found = re.search(rf"^### {title}\n(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"docs/gates.md has no section {title}"
    return found[1]


def codes(text: str, kind: str) -> set[str]:
    """Return the codes in the first column of the tables headed `kind`."""
    tables = re.findall(rf"^\| {kind} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", text, re.MULTILINE)
    return {code for table in tables for code in re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)}


@pytest.mark.parametrize("dataset", SUITES)
def test_every_reason_and_warning_of_a_suite_is_explained_and_no_other(dataset: str) -> None:
    rules = SUITES[dataset].all_rules
    common = codes(section("Every dataset"), "reason")
    mine = section(dataset)
    reasons = {rule.code for rule in rules if rule.severity == "critical"}
    assert codes(mine, "reason") == reasons - common
    assert codes(mine, "warning") == {rule.code for rule in rules if rule.severity == "warning"}


@pytest.mark.parametrize("dataset", SUITES)
def test_every_column_that_may_be_null_is_named(dataset: str) -> None:
    assert all(f"`{column}`" in section(dataset) for column in SUITES[dataset].optional)


def test_the_numbers_on_the_page_are_those_of_the_gate() -> None:
    assert f"more than {TOLERATED} % of its rows" in PAGE
    assert f"The last {KEEP} pages are kept" in PAGE
    assert " ".join(INTERVALS) in section("candles")


STORIES = re.findall(r"^\| ([\d, …]+) \| (.*) \|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(
    ("after", "held"),
    [
        ("130, 100, 100, …", [130.0]),
        ("130, 130, 130, 130, 130", [130.0] * 5),
        ("130, 130, 130, 130, 130, 130", []),
        ("120, 144, 150, …", [144.0, 150.0]),
        ("121, 110, 110, 110, 110, 110", []),
    ],
)
def test_the_stories_on_the_page_happen(after: str, held: list[float]) -> None:
    assert after in [closes for closes, _ in STORIES]
    closes = [float(close) for close in after.replace(", …", "").split(", ")]
    found = gate("candles", bars([100.0] * 100 + closes), now=NOW)
    assert found.quarantined["close"].to_list() == held
    assert found.accepted.filter(pl.col("close") != 100.0).height == len(
        [close for close in closes if close not in {100.0, *held}]
    )
