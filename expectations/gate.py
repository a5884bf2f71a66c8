"""The gate: runs a dataset's suite on a batch and says which rows go on.

It knows rules, not datasets. Each row is judged by itself first; rows that are sound are then
judged beside their neighbours, so that a broken row never speaks for or against another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from core.errors import ContractBroken
from expectations import engine
from expectations.facts import common_facts, copies_before
from expectations.rules import HELD, ROW, row_count
from expectations.suites import suite_for
from expectations.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from typing import Any

    from core.datasets import Dataset
    from expectations.engine import Finding
    from expectations.rules import Rule, Suite

TOLERATED = 10  # percent of a batch's rows; more in quarantine refuse the batch


def gate(
    dataset: str,
    batch: pl.DataFrame,
    *,
    history: pl.DataFrame | None = None,
    held: pl.DataFrame | None = None,
    now: datetime,
    name: str = "",
    expected_rows: int | None = None,
) -> Verdict:
    """Judge `batch`; bad data is a verdict that did not pass, never an error.

    Args:
        dataset: Which suite judges; `InvalidInput` where it has none.
        batch: Rows in the form of the dataset's contract.
        history: Accepted rows of the same series, of which the last before the batch count.
        held: Rows that an earlier gate quarantined for `price_jump`. They are judged again with
            the batch: released ones are accepted, the others quarantined, and neither counts
            as a row of the batch.
        now: Decides which bars have closed.
        name: What the verdict calls the batch: its landing file, or the stage that asks.
        expected_rows: How many rows the batch must have, where the caller knows.
    """
    suite = suite_for(dataset)
    try:
        rows = _rows(suite.dataset, batch, held)
        past = _history(suite, history)
    except ContractBroken as broken:
        return _not_the_contract(suite.dataset, batch, name, now, broken.reason)
    rules = suite.all_rules
    if expected_rows is not None:
        rules = (*rules, row_count(expected_rows + rows.filter(HELD).height))
    result, found = _judge(suite, rules, rows, past, now)
    return _verdict(suite.dataset, rows, result, found, name=name, now=now)


def _rows(dataset: Dataset, batch: pl.DataFrame, held: pl.DataFrame | None) -> pl.DataFrame:
    """Return what is to be judged: the rows that wait, then the batch's."""
    waiting = dataset.empty() if held is None else held.drop("reasons", strict=False)
    parts = [
        dataset.conform(waiting).with_columns(pl.lit(value=True).alias(HELD)),
        dataset.conform(batch).with_columns(pl.lit(value=False).alias(HELD)),
    ]
    return pl.concat(parts).with_row_index(ROW)


def _history(suite: Suite, history: pl.DataFrame | None) -> pl.DataFrame:
    """Return the columns of history that the suite reads."""
    columns = suite.dataset.columns
    if history is None:
        return pl.DataFrame(schema={name: columns[name] for name in suite.remembers})
    wrong = [name for name in suite.remembers if history.schema.get(name) != columns[name]]
    if wrong:
        raise ContractBroken(suite.dataset.name, f"its history's columns {wrong} are not right")
    return history.select(suite.remembers)


def _judge(
    suite: Suite, rules: Sequence[Rule], rows: pl.DataFrame, past: pl.DataFrame, now: datetime
) -> tuple[Any, list[Finding]]:
    """Run the two passes; return the library's result of both, and what it found."""
    dataset = suite.dataset
    alone = [rule for rule in rules if not rule.beside]
    beside = [rule for rule in rules if rule.beside]
    own = _with(rows, common_facts(dataset, suite.optional, rows), suite.facts(rows, now))
    first = engine.validate(dataset.name, alone, own)

    broken = {row for finding in engine.findings(first) for row in _quarantines(finding)}
    sound = rows.filter(~pl.col(ROW).is_in(sorted(broken)))
    copies = copies_before(dataset, sound, past)
    distinct = sound
    if (copies["copies_before"] > 0).any():
        originals = copies.filter(pl.col("copies_before") == 0)
        distinct = sound.join(originals, on=ROW, how="semi", maintain_order="left")
    second = engine.validate(
        dataset.name, beside, _with(rows, copies, suite.neighbour_facts(distinct, past))
    )
    result = engine.joined(first, second)
    return result, engine.findings(result)


def _with(rows: pl.DataFrame, *facts: pl.DataFrame) -> pl.DataFrame:
    """Put facts beside their rows; a row that a fact does not speak of gets null."""
    for fact in facts:
        if fact[ROW].equals(rows[ROW]):  # nothing to look up
            rows = rows.hstack(fact.drop(ROW))
        else:
            rows = rows.join(fact, on=ROW, how="left", maintain_order="left")
    return rows


def _quarantines(finding: Finding) -> list[int]:
    """Return the rows that a finding sends to quarantine."""
    return finding.rows if finding.scope == "row" and finding.severity == "critical" else []


def _verdict(
    dataset: Dataset,
    rows: pl.DataFrame,
    result: Any,
    found: list[Finding],
    *,
    name: str,
    now: datetime,
) -> Verdict:
    reasons = _reasons(found)
    judged = rows.join(reasons, on=ROW, how="left", maintain_order="left")
    bad = pl.col("reasons").is_not_null()
    own = judged.filter(~pl.col(HELD))
    quarantined_rows = own.filter(bad).height
    counts = _counts(own["reasons"].explode().drop_nulls())
    reason = _refusal(found, own.height, quarantined_rows, counts)
    accepted = judged.filter(~bad) if reason is None else judged.clear()
    columns = list(dataset.columns)
    return Verdict(
        dataset=dataset.name,
        batch=name,
        accepted=accepted.select(columns),
        quarantined=judged.filter(bad).select(*columns, "reasons"),
        rows=own.height,
        judged_at=now,
        passed=reason is None,
        reason=reason,
        reasons=counts,
        warnings=_warnings(found, set(reasons[ROW])),
        quarantined_rows=quarantined_rows,
        released=accepted.filter(HELD).height,
        waiting=judged.filter(bad & pl.col(HELD)).height,
        result=result,
    )


def _reasons(found: list[Finding]) -> pl.DataFrame:
    """Return each broken row once, with the codes of what it breaks, by name."""
    broken = [
        pl.DataFrame({ROW: finding.rows, "reasons": finding.code}, schema=_BROKEN)
        for finding in found
        if _quarantines(finding)
    ]
    every = pl.concat([pl.DataFrame(schema=_BROKEN), *broken])
    return every.group_by(ROW, maintain_order=True).agg(pl.col("reasons").unique().sort())


_BROKEN = {ROW: pl.get_index_type(), "reasons": pl.String()}


def _counts(codes: pl.Series) -> dict[str, int]:
    """Count codes, the most frequent first."""
    counted = codes.alias("code").value_counts().sort(["count", "code"], descending=[True, False])
    return dict(counted.iter_rows())


def _warnings(found: list[Finding], broken: set[int]) -> dict[str, int]:
    """Count the rows that each warning speaks of and that are not broken; a batch counts as one."""
    warned: dict[str, set[int]] = {}
    for finding in found:
        if finding.severity == "warning" and not finding.passed:
            rows = set(finding.rows) - broken if finding.scope == "row" else {0}
            warned[finding.code] = warned.get(finding.code, set()) | rows
    return {code: len(rows) for code, rows in warned.items() if rows}


def _refusal(
    found: list[Finding], rows: int, quarantined: int, counts: dict[str, int]
) -> str | None:
    """Say why the batch is refused, or None where it is not."""
    for finding in found:
        if finding.error is not None:
            return f"{finding.code} could not be judged: {finding.error}"
        if finding.severity == "critical" and not finding.passed and not finding.rows:
            return f"{finding.code}: expected {finding.expected}, was {finding.observed}"
    if quarantined * 100 > rows * TOLERATED:
        why = ", ".join(f"{code} {count}" for code, count in counts.items())
        return (
            f"{quarantined} of {rows} rows are quarantined ({quarantined / rows:.2%}, "
            f"at most {TOLERATED}% may be): {why}"
        )
    return None


def _not_the_contract(
    dataset: Dataset, batch: pl.DataFrame, name: str, now: datetime, why: str
) -> Verdict:
    """Refuse a batch whose rows cannot even be judged: they stay where they are."""
    return Verdict(
        dataset=dataset.name,
        batch=name,
        accepted=dataset.empty(),
        quarantined=dataset.empty().with_columns(reasons=pl.lit(None, pl.List(pl.String()))),
        rows=batch.height,
        judged_at=now,
        passed=False,
        reason=why,
        reasons={},
    )
