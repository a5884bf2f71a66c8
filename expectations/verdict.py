"""What a gate decided about a batch."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.clock import format_utc
from core.errors import GateRefused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import polars as pl


@dataclass(frozen=True, eq=False)
class Verdict:
    """The rows that go on, the rows that stay behind with their reasons, and why.

    `quarantined` has the dataset's columns and `reasons`; it holds rows of the batch, and those
    of earlier batches that still wait. `rows` counts the batch alone, and so does `share`. A
    refused batch accepts nothing: its rows stay in landing, sound or not. `result` is Great
    Expectations' ExpectationSuiteValidationResult, None where the columns were wrong already.
    """

    dataset: str
    batch: str
    accepted: pl.DataFrame
    quarantined: pl.DataFrame
    rows: int
    judged_at: datetime
    passed: bool
    reason: str | None
    reasons: Mapping[str, int]  # rows of the batch by reason; a row may have several
    warnings: Mapping[str, int] = field(default_factory=dict)  # rows that look odd, and go on
    quarantined_rows: int = 0  # rows of the batch in quarantine
    released: int = 0  # rows of earlier batches that are accepted now
    waiting: int = 0  # rows of earlier batches that still wait
    result: Any = None

    @property
    def share(self) -> float:
        """The share of the batch that is quarantined."""
        return self.quarantined_rows / self.rows if self.rows else 0.0

    def require(self) -> Verdict:
        """Return this verdict, or raise `GateRefused` where the batch did not pass."""
        if self.passed:
            return self
        raise GateRefused(
            self.dataset,
            self.reason or "no reason was given",
            rows=self.rows,
            quarantined=self.quarantined_rows,
        )

    @property
    def verdict_id(self) -> str:
        """Name this verdict: the same for the same decision on the same batch at the same time."""
        named = json.dumps([*self._facts().values(), format_utc(self.judged_at)])
        return hashlib.sha256(named.encode()).hexdigest()[:16]

    def as_row(self, now: datetime) -> dict[str, Any]:
        """Return this verdict as a row of the dataset `verdicts`, stored at `now`."""
        return {
            "verdict_id": self.verdict_id,
            **self._facts(),
            "warnings": json.dumps(dict(self.warnings), sort_keys=True),
            "judged_at": self.judged_at,
            "source": "gate",
            "ingested_at": now,
        }

    def _facts(self) -> dict[str, Any]:
        return {
            "dataset": self.dataset,
            "batch": self.batch,
            "rows": self.rows,
            "accepted": self.accepted.height - self.released,
            "quarantined": self.quarantined_rows,
            "passed": self.passed,
            "reason": self.reason,
            "reasons": json.dumps(dict(self.reasons), sort_keys=True),
        }

    def markdown(self) -> str:
        """Describe this verdict to a person, for an artifact."""
        state = "passed" if self.passed else "refused"
        lines = [f"### Gate `{self.dataset}`: {state}", ""]
        if self.reason:
            lines += [f"> {_plain(self.reason)}", ""]
        lines += [
            "| | rows |",
            "|---|---:|",
            f"| batch `{_plain(self.batch) or 'unnamed'}` | {self.rows:,} |",
            f"| accepted | {self.accepted.height - self.released:,} |",
            f"| quarantined | {self.quarantined_rows:,} ({self.share:.2%}) |",
            f"| released from earlier batches | {self.released:,} |",
            f"| still waiting from earlier batches | {self.waiting:,} |",
        ]
        lines += _table("reason", self.reasons) + _table("warning", self.warnings)
        return "\n".join(lines)


def _table(title: str, counts: Mapping[str, int]) -> list[str]:
    if not counts:
        return []
    rows = [f"| `{code}` | {count:,} |" for code, count in counts.items()]
    return ["", f"| {title} | rows |", "|---|---:|", *rows]


def _plain(text: str) -> str:
    """Take the meaning from characters that Markdown or HTML would act on."""
    for character, harmless in (
        ("&", "&amp;"),
        ("<", "&lt;"),
        ("|", "\\|"),
        ("`", "'"),
        ("\n", " "),
    ):
        text = text.replace(character, harmless)
    return text
