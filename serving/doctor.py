"""What the doctor found, in a terminal and as an artifact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serving.terminal import new_console, new_table
from serving.words import count, plural

if TYPE_CHECKING:
    from storage.care.doctor import Checkup, Finding

SHORT = 12  # digits of a checksum that a table has room for


def show_checkup(found: Checkup) -> None:
    """Print each problem and what became of it, then what every table holds now."""
    console = new_console()
    for finding in found.findings:
        lines = [f"{_mark(finding)} {finding.part}: {finding.place}", finding.problem, finding.how]
        console.print("\n    ".join(filter(None, lines)), soft_wrap=True, markup=False)
    if found.after:
        table = new_table("table", "hot", "cold", "rows", "was", "checksum", numbers=(1, 2, 3, 4))
        was = {one.table: one for one in found.before}
        for one in found.after:
            before = count(was[one.table].rows) if one.table in was else "unreadable"
            table.add_row(
                one.table, *map(count, (one.hot, one.cold, one.rows)), before, one.checksum[:SHORT]
            )
        console.print(table)
    console.print(headline(found), markup=False)


def headline(found: Checkup) -> str:
    """Return what there is to know, in a sentence."""
    left = sum(not finding.mended for finding in found.findings)
    mended = len(found.findings) - left
    said = "The store is sound." if found.sound else f"{plural(left, 'problem')} left."
    if mended:
        said = f"{plural(mended, 'problem')} mended. {said}"
    if found.pending:
        waiting = plural(found.pending, "batch", "batches")
        said += f" {waiting} in landing wait for the next collection to judge and merge them."
    return said


def render_markdown(found: Checkup) -> str:
    """Return the checkup as an artifact of a run."""
    lines = [f"### {headline(found)}", ""]
    if found.findings:
        lines += ["| | where | what | then |", "|---|---|---|---|"]
        lines += [
            f"| {_mark(one)} | `{_cell(one.place)}` | {_cell(one.problem)} | {_cell(one.how)} |"
            for one in found.findings
        ]
    lines += ["", "| table | hot | cold | rows | checksum |", "|---|---:|---:|---:|---|"]
    lines += [
        f"| {one.table} | {one.hot:,} | {one.cold:,} | {one.rows:,} | {one.checksum[:SHORT]} |"
        for one in found.after
    ]
    return "\n".join(lines)


def _mark(finding: Finding) -> str:
    return "mended" if finding.mended else "WRONG"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("`", "'").replace("\n", " ")
