"""Tables of figures, printed as they come and written down as Markdown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path


@dataclass
class Section:
    """A heading, what was measured and how, and tables; `short` goes to the top of the page."""

    title: str
    text: str = ""
    tables: list[str] = field(default_factory=list)
    short: list[str] = field(default_factory=list)

    def table(self, header: Sequence[str], rows: Iterable[Sequence[str]], note: str = "") -> None:
        """Add a table, and print it: a run takes minutes, and its first figures may do."""
        made = markdown(header, list(rows))
        print(f"\n{self.title}\n{made}", flush=True)
        self.tables.append(f"{made}\n\n{note}".strip())

    def __str__(self) -> str:
        return "\n\n".join(part for part in (f"## {self.title}", self.text, *self.tables) if part)


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table whose source is as readable as what is made of it."""
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]
    lines = [_line(row, widths) for row in (header, *rows)]
    rule = [("-" * width if i == 0 else "-" * (width - 1) + ":") for i, width in enumerate(widths)]
    return "\n".join([lines[0], f"| {' | '.join(rule)} |", *lines[1:]])


def number(value: float) -> str:
    """Write a figure with three digits that count, and thousands apart."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value >= 0.001 or value == 0 else f"{value:.1e}"


def ratio(value: float) -> str:
    """Write how many times something is faster."""
    return f"{number(value)}x"


def write(path: Path, lines: Sequence[str], sections: Iterable[Section]) -> None:
    """Write the results: what they were measured on, then every section."""
    found = list(sections)
    short = _listed([line for section in found for line in section.short])
    parts = ["# Benchmarks", "Made by `make bench`; do not edit.", _listed(lines)]
    path.write_text("\n\n".join([*parts, "## In short", short, *map(str, found)]) + "\n")


def renew(path: Path, lines: Sequence[str], sections: Iterable[Section]) -> None:
    """Put sections into results that are there, in place of their older selves.

    A line of the head, or of the part in short, gives way to one that begins alike, up to its
    first colon; what is new comes after the rest.
    """
    found = list(sections)
    head, *blocks = path.read_text().rstrip("\n").split("\n\n## ")
    short, *rest = blocks
    old = dict(zip((block.partition("\n")[0] for block in rest), rest, strict=True))
    new = {section.title: str(section).removeprefix("## ") for section in found}
    title, note, about = head.split("\n\n")
    said = [line for section in found for line in section.short]
    parts = ["\n\n".join([title, note, _renewed(about, lines)])]
    parts.append("In short\n\n" + _renewed(short.partition("\n\n")[2], said))
    path.write_text("\n\n## ".join([*parts, *(old | new).values()]) + "\n")


def _renewed(listed: str, lines: Sequence[str]) -> str:
    """Return a list with lines of it replaced by those that begin alike."""
    begins = {line.partition(":")[0] for line in lines}
    old = [line.removeprefix("- ") for line in listed.split("\n")]
    return _listed([*(line for line in old if line.partition(":")[0] not in begins), *lines])


def _listed(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        cell.ljust(width) if i == 0 else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return f"| {' | '.join(cells)} |"
