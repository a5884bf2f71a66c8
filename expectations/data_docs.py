"""Data Docs: a page for each verdict and an index of the last ones, readable without a network.

Great Expectations renders what its expectations found; its own pages need style sheets, scripts
and a logo from other machines, so here its tables stand on a page of ours that needs nothing.
"""

from __future__ import annotations

import html
import json
import os
import re
from typing import TYPE_CHECKING, Any

from core.clock import format_utc
from expectations import engine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from expectations.verdict import Verdict

KEEP = 200  # pages; a page is about 60 kB
PAGES = "verdicts"

# Texts in a page come from venues: no script runs and nothing is loaded, whatever they say.
_HEAD = """<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none';
  style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h5 { font-size: 1.1rem; margin: 1.5rem 0 .25rem; }
h6 { font-size: 1rem; margin: 1rem 0 0; }
table { border-collapse: collapse; margin: .75rem 0; width: 100%; }
th, td { border-bottom: 1px solid #8884; padding: .3rem .6rem; text-align: left;
  vertical-align: top; overflow-wrap: anywhere; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.passed { color: #1a7f37; } .refused { color: #cf222e; font-weight: 600; }
.docs .navbar, .docs .col-lg-2, .docs button, .docs .modal { display: none; }
.docs .fa-check-circle::before { content: "✓"; color: #1a7f37; }
.docs .fa-times::before { content: "✗"; color: #cf222e; }
.docs .fa-exclamation-triangle::before { content: "!"; color: #9a6700; }
</style>
"""
# What would load, run, or lead to a page that is not here; the texts of links stay.
_DROPPED = re.compile(
    r"<(script|style|footer|button)\b.*?</\1>|<(?:link|img)\b[^>]*>|</?a\b[^>]*>",
    re.DOTALL | re.IGNORECASE,
)
_BODY = re.compile(r"<body[^>]*>(.*)</body>", re.DOTALL | re.IGNORECASE)
_SUMMARY = re.compile(r"<!-- (\{.*\}) -->")


def write_data_docs(verdicts: Iterable[Verdict], folder: Path, *, keep: int = KEEP) -> Path:
    """Write a page for each verdict, drop all but the last `keep`; return the index.

    Earlier pages stay listed. The same verdict written twice is one page.
    """
    pages = folder / PAGES
    pages.mkdir(parents=True, exist_ok=True)
    for verdict in verdicts:
        _write(pages / _name(verdict), _page(verdict))
    found = sorted(pages.glob("*.html"), reverse=True)
    for old in found[keep:]:
        old.unlink(missing_ok=True)  # another step may be dropping it too
    index = folder / "index.html"
    _write(index, _index(found[:keep]))
    return index


def _name(verdict: Verdict) -> str:
    return f"{verdict.judged_at:%Y%m%dT%H%M%S}-{verdict.dataset}-{verdict.verdict_id}.html"


def _write(path: Path, text: str) -> None:
    """Put a whole file in place at once, whoever writes beside us."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}-{id(text)}")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


def _summary(verdict: Verdict) -> dict[str, Any]:
    return {
        "judged_at": format_utc(verdict.judged_at),
        "dataset": verdict.dataset,
        "batch": verdict.batch,
        "state": "passed" if verdict.passed else "refused",
        "rows": verdict.rows,
        "quarantined": verdict.quarantined_rows,
        "released": verdict.released,
        "waiting": verdict.waiting,
        "reason": verdict.reason or "",
        "reasons": dict(verdict.reasons),
        "warnings": dict(verdict.warnings),
    }


def _page(verdict: Verdict) -> str:
    """Say what was decided in our words, then show what each expectation found."""
    summary = _summary(verdict)
    # Read back by the index; no text in it can end the comment.
    kept = json.dumps(summary).replace("<", "\\u003c").replace(">", "\\u003e")
    rows = "".join(
        f"<tr><th>{_text(name)}</th><td>{_value(value)}</td></tr>"
        for name, value in summary.items()
    )
    return (
        f"<!-- {kept} -->\n<!doctype html>\n<html lang='en'>\n<title>{_text(verdict.dataset)} "
        f"{summary['state']}</title>\n{_HEAD}<p><a href='../index.html'>All verdicts</a></p>\n"
        f"<h1>Gate {_text(verdict.dataset)}: {_state(summary)}</h1>\n<table>{rows}</table>\n"
        f"<div class='docs'>{_docs(verdict)}</div>\n</html>\n"
    )


def _docs(verdict: Verdict) -> str:
    """Return the tables of Great Expectations, without what they would load or run."""
    if verdict.result is None:
        return "<p>Its columns were not the dataset's, so no expectation was asked.</p>"
    rendered = engine.render(verdict.result, verdict.batch, verdict.judged_at)
    body = _BODY.search(rendered)
    return _DROPPED.sub("", body[1] if body else "")


def _index(pages: list[Path]) -> str:
    columns = ("judged_at", "dataset", "batch", "state", "rows", "quarantined", "reasons")
    heads = "".join(f"<th>{_text(name)}</th>" for name in columns)
    lines = "".join(_line(page, columns) for page in pages)
    return (
        f"<!doctype html>\n<html lang='en'>\n<title>nightjar: gates</title>\n{_HEAD}"
        f"<h1>What the gates decided</h1>\n<p>The last {len(pages)} verdicts, newest first. "
        "docs/gates.md explains the reasons.</p>\n"
        f"<table><tr>{heads}</tr>{lines}</table>\n</html>\n"
    )


def _line(page: Path, columns: tuple[str, ...]) -> str:
    try:
        with page.open(encoding="utf-8") as file:
            found = _SUMMARY.match(file.readline())
    except FileNotFoundError:  # dropped by another step since it was listed
        return ""
    if found is None:
        return ""
    summary = json.loads(found[1])
    cells = [_value(summary[name]) for name in columns]
    cells[0] = f"<a href='{PAGES}/{_text(page.name)}'>{cells[0]}</a>"
    cells[columns.index("state")] = _state(summary)
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>\n"


def _state(summary: Mapping[str, Any]) -> str:
    state = _text(summary["state"])
    return f"<span class='{state}'>{state}</span>"


def _value(value: object) -> str:
    if isinstance(value, dict):
        return "<br>".join(f"{_text(code)} {count:,}" for code, count in value.items())
    return f"{value:,}" if isinstance(value, int) else _text(str(value))


def _text(text: str) -> str:
    return html.escape(text, quote=True)
