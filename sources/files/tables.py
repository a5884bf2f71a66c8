"""Files as tables: CSV, JSON, Parquet, Feather, and CSV or JSON inside a zip or gzip.

Nothing is interpreted here: a CSV's cells stay text, and what has no names gets none.
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl

from core.errors import InvalidInput
from sources.files.arrow import MOST_COLUMNS, MOST_ROWS, from_feather, from_parquet
from sources.numbers import NUMBER, excerpt
from sources.unpack import gunzip, read_whole, unzip

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sources.numbers import Refuse

READABLE = (".csv", ".txt", ".json", ".parquet", ".feather", ".arrow", ".ipc", ".zip", ".gz")
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}

_number = re.compile(NUMBER)


class Table(msgspec.Struct, frozen=True):
    """A file's cells, in columns that are called by their places.

    `names` is None where the file names no columns; `inner` is the name of the file that held
    the cells, inside a zip where there is one; `notes` say what was found.
    """

    frame: pl.DataFrame
    names: list[str] | None
    inner: str
    notes: list[str]


def read_table(path: Path) -> Table:
    """Return the cells of `path`; its suffix says how to read it.

    Raises:
        InvalidInput: the file is not there, cut, too large, or not what its suffix says.
    """

    def refuse(reason: str) -> InvalidInput:
        return InvalidInput(f"{path}: {reason}")

    notes: list[str] = []
    data, inner = read_whole(path), path.name
    while (suffix := PurePath(inner).suffix.lower()) in (".zip", ".gz"):
        if len(notes) > 1:
            raise refuse("expected CSV or JSON inside, was packed again and again")
        if suffix == ".zip":
            inner, data = unzip(data, refuse)
        else:
            inner, data = inner[: -len(suffix)], gunzip(data, refuse)
        notes.append(f"packed: {inner} inside a {suffix[1:]}")
    match suffix:
        case ".csv" | ".txt":
            return _from_csv(data, inner, notes, refuse)
        case ".json":
            return _from_json(data, inner, notes, refuse)
        case ".parquet" | ".feather" | ".arrow" | ".ipc":
            return _from_arrow(data, suffix, inner, notes, refuse)
        case _:
            raise refuse(f"expected a file ending in {', '.join(READABLE)}, was {suffix!r}")


def _from_csv(data: bytes, inner: str, notes: list[str], refuse: Refuse) -> Table:
    data = data.removeprefix(b"\xef\xbb\xbf")
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    first = data[:100_000].split(b"\n", 1)[0]
    try:
        line = first.decode()
    except UnicodeDecodeError:
        raise refuse("expected text in UTF-8, was another encoding or no text") from None
    separator = max(SEPARATORS, key=line.count)
    try:
        cells = next(csv.reader([line], delimiter=separator), [])
    except csv.Error as error:
        raise refuse(f"expected lines of cells, was {excerpt(line)} ({error})") from None
    if len(cells) < 2:
        raise refuse(f"expected columns between commas, was {excerpt(line)}")
    header = not any(_number.match(cell.strip()) for cell in cells)
    frame = _csv_cells(data, len(cells), separator, header=header, refuse=refuse)
    if not data.endswith(b"\n"):
        notes = [*notes, "the last line has no end: it may be cut"]
    what = "with a header" if header else "without a header"
    return _table(
        frame,
        cells if header else None,
        inner,
        [*notes, f"format: CSV {what}, {SEPARATORS[separator]} between columns"],
        refuse,
    )


def _csv_cells(
    data: bytes, width: int, separator: str, *, header: bool, refuse: Refuse
) -> pl.DataFrame:
    """Return the cells as text; a line that is short or long is an error, a blank one is none."""
    names = [str(place) for place in range(width)]
    if width > MOST_COLUMNS:
        raise refuse(f"expected at most {MOST_COLUMNS} columns, was {width}")
    try:
        frame = pl.read_csv(
            io.BytesIO(data),
            has_header=False,
            skip_rows=int(header),
            schema=dict.fromkeys(names, pl.String()),
            separator=separator,
            empty_string_is_null=False,
            raise_if_empty=False,
        )
    except pl.exceptions.PolarsError as error:
        raise refuse(f"expected lines of {width} columns, was not: {str(error)[:200]}") from None
    frame = frame.filter(~pl.all_horizontal(pl.all().fill_null("").str.strip_chars() == ""))
    short = frame.select(pl.any_horizontal(pl.all().is_null()))
    if short.height and short.to_series().any():
        row = (short.to_series().arg_max() or 0) + 1
        raise refuse(f"row {row}: expected {width} columns, was cut")
    return frame


def _from_json(data: bytes, inner: str, notes: list[str], refuse: Refuse) -> Table:
    try:
        content = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise refuse(f"expected JSON, was cut or something else: {error}") from None
    rows, notes = _unwrap(content, notes, refuse)
    if isinstance(rows, dict):
        return _table(_json_columns(rows, refuse), list(rows), inner, notes, refuse)
    if not rows:
        raise refuse("expected rows, was an empty list")
    if isinstance(rows[0], dict):
        wrong = _first(not isinstance(r, dict) or r.keys() != rows[0].keys() for r in rows)
        notes = [*notes, "format: JSON, a list of objects"]
    else:
        wrong = _first(not isinstance(r, list) or len(r) != len(rows[0]) for r in rows)
        notes = [*notes, "format: JSON, a list of lists"]
    if wrong or not rows[0]:
        was = excerpt(str(rows[max(0, wrong - 1)]))
        raise refuse(f"row {wrong or 1}: expected a list or object like the first, was {was}")
    if isinstance(rows[0], list):
        by_place = {str(n): list(cells) for n, cells in enumerate(zip(*rows, strict=True))}
        return _table(_json_columns(by_place, refuse), None, inner, notes, refuse)
    by_name = {name: [row[name] for row in rows] for name in rows[0]}
    return _table(_json_columns(by_name, refuse), list(by_name), inner, notes, refuse)


def _unwrap(content: Any, notes: list[str], refuse: Refuse) -> tuple[Any, list[str]]:
    """Return the list of rows or the object of columns that the content is or wraps."""
    if isinstance(content, list):
        return content, notes
    if not isinstance(content, dict):
        raise refuse(f"expected a list of bars, was {excerpt(str(content))}")
    lists = {name: value for name, value in content.items() if isinstance(value, list)}
    if len(lists) == 1 and len(content) < 6:
        name, rows = next(iter(lists.items()))
        return rows, [*notes, f"rows: taken from {name!r}"]
    if len(lists) == len(content) > 1:
        return content, [*notes, "format: JSON, an object of columns"]
    raise refuse(f"expected one list of bars, was an object of {excerpt(', '.join(content))}")


def _json_columns(cells: dict[str, list[Any]], refuse: Refuse) -> pl.DataFrame:
    try:
        return pl.DataFrame([_json_column(str(n), c) for n, c in enumerate(cells.values())])
    except (pl.exceptions.PolarsError, TypeError, OverflowError, ValueError) as error:
        raise refuse(f"expected columns of numbers or of text, was not: {error}") from None


def _json_column(name: str, cells: list[Any]) -> pl.Series:
    kinds = {type(cell) for cell in cells} - {type(None)}
    if kinds == {int, float}:
        cells = [None if cell is None else float(cell) for cell in cells]
    elif bool in kinds and len(kinds) > 1:
        raise TypeError(f"column {name} mixes truth values with others")
    return pl.Series(name, cells, strict=True)


def _from_arrow(data: bytes, suffix: str, inner: str, notes: list[str], refuse: Refuse) -> Table:
    parquet = suffix == ".parquet"
    frame = from_parquet(data, refuse) if parquet else from_feather(data, refuse)
    names = frame.columns
    frame.columns = [str(place) for place in range(frame.width)]
    form = "Parquet" if parquet else "Feather (Arrow IPC)"
    return _table(frame, names, inner, [*notes, f"format: {form}"], refuse)


def _table(
    frame: pl.DataFrame, names: list[str] | None, inner: str, notes: list[str], refuse: Refuse
) -> Table:
    if frame.is_empty():
        raise refuse("expected rows, was none")
    if frame.width > MOST_COLUMNS or frame.height > MOST_ROWS:
        raise refuse(
            f"expected at most {MOST_ROWS} rows and {MOST_COLUMNS} columns, was {frame.shape}"
        )
    return Table(frame, names, inner, notes)


def _first(flags: Iterable[bool]) -> int:
    """Return the place of the first True, counted from 1; 0 where there is none."""
    return next((place for place, flag in enumerate(flags, 1) if flag), 0)
