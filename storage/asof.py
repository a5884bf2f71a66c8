"""The tables as the store stood at a moment: today's rows, with what happened since taken back.

A row that came later is left out (`storage.arrivals` knows when it came, else its `ingested_at`
does); a row that was replaced later has its old values again, which `revisions` kept. Nothing is
stored twice for this: history costs what changed, and a question about today costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.clock import require_utc, to_micros
from core.datasets import REVISIONS
from storage.arrivals import on_grid, series
from storage.migrations import has_table
from storage.notation import member, read_value, written_key
from storage.schema import columns, literal, quoted, values
from storage.tiers import union

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from duckdb import DuckDBPyConnection

    from core.datasets import Dataset
    from storage.cold import ColdFile

# Beside the tables that people see, so that `show tables` shows those alone.
_SCHEMA = "history"
# A member of `old` that was read back stands in a column of this name.
_OLD = "old "
# When a revision changed the store.
_CHANGED = "coalesce(stored_at, revised_at)"


def moment(when: datetime) -> str:
    """Return a time as an SQL expression."""
    return f"make_timestamptz({to_micros(require_utc(when))})"


class History:
    """The store as it stood at `when`, for queries on one connection.

    Its own tables stay in the database: `close` drops them where that is used again.

    Args:
        con: a connection that has the hot file as `hot`.
        when: the moment.
        revisions: the cold files of `revisions`.
    """

    def __init__(
        self, con: DuckDBPyConnection, when: datetime, revisions: Sequence[ColdFile]
    ) -> None:
        self._con = con
        self._when = moment(when)
        self._revisions = union(con, REVISIONS, revisions)
        con.execute(f"drop schema if exists {_SCHEMA} cascade")  # of another moment
        con.execute(f"create schema {_SCHEMA}")

    def close(self) -> None:
        """Drop what the queries rest on; none of them can run after that."""
        self._con.execute(f"drop schema {_SCHEMA} cascade")

    def rows(self, dataset: Dataset, files: Sequence[ColdFile], where: str = "true") -> str:
        """Return a query of the dataset's rows as they were.

        Args:
            dataset: whose rows.
            files: the cold files to read.
            where: a condition on the dataset's key.
        """
        today = union(self._con, dataset, files, where)
        if dataset is REVISIONS:
            return f"from ({today}) where {_CHANGED} <= {self._when}"
        revised = self._revised(dataset)
        told = self._told(dataset, today, revised)
        came = "coalesce(r._came, r._ingested)" if revised else "r.ingested_at"
        chosen = f"select {columns(dataset.columns)} from ({told}) r where "
        before = "_before or " if revised else ""
        late = self._late(dataset)
        if late is None:
            return f"{chosen}{before}{came} <= {self._when}"
        group = f"a.series = {series(dataset, 'r')} and a.ingested_at = {came}"
        doubtful = f"exists (select 1 from {late} a where {group})"
        return (
            f"{chosen}{before}({came} <= {self._when} and not {doubtful}) union all "
            f"{chosen}{'_before is not true and ' if revised else ''}{doubtful} "
            f"and {self._came(dataset, late, group, came)} <= {self._when}"
        )

    def _revised(self, dataset: Dataset) -> str | None:
        """Make a table of the keys that were ever revised; None where there is none.

        `before`: it was revised by then, and so was there. `came`: when its first value was
        ingested. `old …`: the values that it lost later, in the first revision that tells of each.
        """
        table = f"{_SCHEMA}.{quoted(f'revised {dataset.name}')}"
        later = f"{_CHANGED} > {self._when}"
        old = {"source": "to_json(old_source)", "ingested_at": "to_json(epoch_us(old_ingested_at))"}
        old |= {name: member("old", name) for name in values(dataset)}
        kept = [
            f"arg_min({value}, revised_at) filter ({later} and {value} is not null) "
            f"as {quoted(_OLD + name)}"
            for name, value in old.items()
        ]
        key = [
            f"{read_value(dataset.columns[name], member('key', name))} as {quoted(name)}"
            for name in dataset.key
        ]
        self._con.execute(
            f"create table if not exists {table} as select {', '.join(key)}, "
            f"bool_or(not {later}) as before, "
            "arg_min(coalesce(old_ingested_at, '-infinity'), revised_at) as came, "
            f"{', '.join(kept)} from ({self._revisions}) "
            f"where dataset = {literal(dataset.name)} and replaced is distinct from false "
            "group by key"
        )
        return table if self._any(table) else None

    def _told(self, dataset: Dataset, today: str, revised: str | None) -> str:
        """Return a query of today's rows with their old values, and what says when they came."""
        if revised is None:
            return today
        back = ", ".join(
            f"x.{quoted(name)}"
            if name in dataset.key
            else f"case when v.{quoted(_OLD + name)} is null then x.{quoted(name)} "
            f"else {self._value(dataset, name)} end as {quoted(name)}"
            for name in dataset.columns
        )
        return (
            f"select {back}, v.before as _before, v.came as _came, x.ingested_at as _ingested "
            f"from ({today}) x left join {revised} v using ({columns(dataset.key)})"
        )

    def _value(self, dataset: Dataset, name: str) -> str:
        old = f"v.{quoted(_OLD + name)}"
        if name == "ingested_at":
            return f"make_timestamptz({old}::BIGINT)"
        return read_value(dataset.columns[name], old)

    def _late(self, dataset: Dataset) -> str | None:
        """Make a table of the arrivals that `ingested_at` alone would misjudge; None without any.

        All lines of a series and an `ingested_at` of which one line is such.
        """
        if not has_table(self._con, "arrivals"):
            return None
        table = f"{_SCHEMA}.{quoted(f'arrived {dataset.name}')}"
        lines = f"from hot.arrivals where dataset = {literal(dataset.name)}"
        misled = f"(ingested_at <= {self._when}) <> (stored_at <= {self._when})"
        self._con.execute(
            f"create table if not exists {table} as select * {lines} and (series, ingested_at) "
            f"in (select (series, ingested_at) {lines} and {misled})"
        )
        return table if self._any(table) else None

    def _came(self, dataset: Dataset, late: str, group: str, came: str) -> str:
        """Return an expression: when a row came into the store, as its line tells."""
        time = f"r.{quoted(dataset.time_column)}"
        line = f"(select min(stored_at) from {late} a where {group}"
        ranged = f"{line} and key is null and {time} between first and last)"
        if on_grid(dataset):
            return f"coalesce({ranged}, {came})"
        named = f"{line} and first = {time} and key = {written_key(dataset, 'r')})"
        return f"coalesce({named}, {ranged}, {came})"

    def _any(self, table: str) -> bool:
        return bool(self._con.execute(f"select 1 from {table} limit 1").fetchall())
