"""How an answer is broken: bytes in, worse bytes out.

A broken row is well-typed (its values cannot be); a broken page is not a page of bars.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

if TYPE_CHECKING:
    from sources.sandbox.faults import Incident

OPEN, HIGH, LOW, CLOSE, VOLUME = 1, 2, 3, 4, 5  # columns of a row of bars


def cut(body: bytes, incident: Incident) -> tuple[bytes, bool]:
    """Return a beginning of `body`, and whether the announced length is the whole one.

    Where it is not, only reading the JSON to its end shows that something is missing.
    """
    length = int(incident.where * len(body))
    return body[:length], incident.which < 0.5


def break_rows(body: bytes, incident: Incident, share: float) -> tuple[bytes, int]:
    """Give `share` of the rows, at least one, values that cannot be; return how many.

    A body that is not a list of rows is returned as it is.
    """
    rows = msgspec.json.decode(body)
    if not isinstance(rows, list) or not rows:
        return body, 0
    generator = np.random.default_rng(int(incident.where * 2**32))
    count = min(len(rows), max(1, round(share * len(rows))))
    for turn, index in enumerate(generator.choice(len(rows), size=count, replace=False)):
        _break_row(rows[index], turn + int(incident.which * 5))
    return msgspec.json.encode(rows), count


def _break_row(row: list[Any], way: int) -> None:
    match way % 5:
        case 0:  # the high lies under the low
            row[HIGH], row[LOW] = f"{float(row[LOW]) * 0.99:.8f}", f"{float(row[HIGH]) * 1.01:.8f}"
        case 1:
            row[VOLUME] = f"-{1 + float(row[VOLUME]):.8f}"
        case 2:
            row[CLOSE] = row[LOW] = "0.00000000"
        case 3:
            row[CLOSE] = "NaN"
        case _:  # the close lies outside the bar
            row[CLOSE] = f"{float(row[HIGH]) * 1.02:.8f}"


def break_page(body: bytes, incident: Incident) -> tuple[bytes, str]:
    """Return a body that is not a page of bars, and its content type."""
    json, html = "application/json;charset=UTF-8", "text/html; charset=utf-8"
    rows = msgspec.json.decode(body)
    row = rows[0] if isinstance(rows, list) and rows else [1, "1", "1", "1"]
    pages: list[tuple[bytes, str]] = [
        (b"<html><head><title>Just a moment...</title></head><body></body></html>", html),
        (b"", json),
        (msgspec.json.encode({"data": rows}), json),
        (msgspec.json.encode([row[:-4], *(rows[1:] if isinstance(rows, list) else [])]), json),
        (msgspec.json.encode([[*row[:1], None, *row[2:]]]), json),
        (msgspec.json.encode([[row[0], "12,5", *row[2:]]]), json),
        (msgspec.json.encode([[str(row[0]) + "T", *row[1:]]]), json),
        (b"null", json),
    ]
    return pages[int(incident.which * len(pages))]
