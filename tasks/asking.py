"""Asking on behalf of one run: one client, one line to each source, and who is set aside.

Prefect is not needed here.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from core.clock import utc_now
from core.datasets import dataset_named
from sources.base import Retry
from sources.http import shared_client
from sources.line import all_lines
from sources.provider import collect
from sources.registry import line_of, open_provider
from sources.routing import Served, Standing, first_to_serve, label
from storage import health

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from core.settings import Settings
    from sources.http import Client
    from sources.provider import Wanted
    from storage.store import Store

# A request is asked again for some 8 s; the step as a whole then once more, a little later.
PERSISTENCE = Retry(attempts=6)


class Asker:
    """Asks providers, as the settings say where they are and in which order.

    Args:
        settings: a person's.
        client: the process's one client.
        standing: who is set aside.
        retry: how patiently one page is asked for.
        clock: the time in UTC.
    """

    def __init__(
        self,
        settings: Settings,
        client: Client,
        *,
        standing: Standing | None = None,
        retry: Retry = PERSISTENCE,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.settings = settings
        self.client = client
        self.standing = standing or Standing()
        self.retry = retry
        self.clock = clock

    def rows(
        self, source: str, dataset: str, wanted: Wanted, *, named: str | None = None
    ) -> pl.DataFrame:
        """Return what one provider answers; `named` is what its rows say of where they are from.

        Raises:
            KeyMissing: it gives nothing without a key.
            SourceUnavailable, SourceRejected, SourceMalformed, SourceStalled, InvalidInput: as
                `sources.provider.collect`.
        """
        provider = open_provider(source, self.settings)
        pages = collect(
            provider,
            dataset,
            wanted,
            self.client,
            pacer=line_of(provider),
            retry=self.retry,
            source=named,
        )
        return pl.concat([dataset_named(dataset).empty(), *pages])

    def routed(
        self, dataset: str, providers: Sequence[str], wanted: Wanted
    ) -> Served[pl.DataFrame]:
        """Return what the first provider that has an answer gives; its tier is in each row.

        Raises:
            SourceUnavailable: nobody has one; says what each said.
        """

        def ask(tier: int, provider: str) -> pl.DataFrame | None:
            rows = self.rows(provider, dataset, wanted, named=label(provider, tier))
            return None if rows.is_empty() else rows

        return first_to_serve(dataset, providers, ask, standing=self.standing, clock=self.clock)


@contextmanager
def asking(settings: Settings, store: Store) -> Iterator[Asker]:
    """Yield who asks during a run, with the process's one client and what earlier runs noted."""
    standing = standing_of(settings, store, utc_now())
    with shared_client(settings.routing.connections) as client:
        yield Asker(settings, client, standing=standing)


def standing_of(settings: Settings, store: Store, now: datetime) -> Standing:
    """Return who is set aside by these settings, as earlier runs noted it in the store."""
    routing = settings.routing
    aside = timedelta(hours=routing.aside_hours)
    within = timedelta(minutes=routing.within_minutes)
    standing = Standing(failures=routing.failures, within=within, aside=aside)
    noted = health.since(store, now, max(aside, within))
    standing.recall(noted.select("provider", "time", "state").iter_rows())
    return standing


def health_rows(standing: Standing, now: datetime) -> list[Mapping[str, Any]]:
    """Return how each source did that this process asked since this was last called."""
    rows: list[Mapping[str, Any]] = []
    for source, line in sorted(all_lines().items()):
        done = line.take()
        aside = standing.set_aside.pop(source, None)
        if done.requests or aside:
            state = "set_aside" if aside and now < aside else done.state
            rows.append({"provider": source, **done._asdict(), "state": state})
    return rows
