"""Glassnode: numbers about chains, from `GET /v1/metrics/{category}/{metric}`.

https://docs.glassnode.com/basic-api/endpoints: `a` the asset, `i` the resolution, `s` and `u` the
span in seconds. Answers are lists of `{"t": seconds, "v": number}`, or of `{"t", "o": {…}}` for
metrics of several numbers. No recording was at hand.
The key is sent as `X-Api-Key`: https://docs.glassnode.com/basic-api/api-key
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from core.clock import to_micros
from core.errors import InvalidInput, SourceMalformed
from sources.answers import decode
from sources.api import Api
from sources.provider import Page
from sources.shapes import Seconds, from_seconds, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx
    from pydantic import SecretStr

    from sources.provider import Feed, Wanted

URL = "https://api.glassnode.com"
RESOLUTIONS = {"10m": "10m", "1h": "1h", "1d": "24h", "1w": "1w"}
STEPS = {
    "10m": timedelta(minutes=10),
    "1h": timedelta(hours=1),
    "1d": timedelta(days=1),
    "1w": timedelta(weeks=1),
}
DEFAULT = "1d"
_SUBJECT = re.compile(
    r"(?P<asset>[A-Z0-9]{1,20}) (?P<metric>[a-z0-9_]{1,40}/[a-z0-9_]{1,80})", re.ASCII
)


class _Point(msgspec.Struct):
    t: Seconds
    v: float | msgspec.UnsetType | None = msgspec.UNSET
    o: dict[str, float | None] | None = None


_points = msgspec.json.Decoder(list[_Point])


class Glassnode:
    """On-chain metrics; implements `sources.provider.Provider`."""

    name = "glassnode"
    per_second = 1.0

    def __init__(self, url: str = URL, api_key: SecretStr | None = None) -> None:
        self.url = url
        api = Api(self.name, url, api_key, header="X-Api-Key")
        self.explain = api.explain
        self.feeds: dict[str, Feed] = {"onchain_metrics": Metrics(api)}


class Metrics:
    """One metric of one asset; the resolution is the interval, by default a day."""

    subjects = "an asset and a metric such as BTC addresses/active_count"

    def __init__(self, api: Api) -> None:
        self._api = api

    def request(self, wanted: Wanted) -> httpx.Request:
        """Ask for the span at once: there are no pages."""
        asset, metric = _parts(wanted.subject)
        return self._api.get(
            f"/v1/metrics/{metric}",
            {
                "a": asset,
                "i": RESOLUTIONS[_resolution(wanted)],
                "s": to_micros(wanted.start) // 1_000_000 if wanted.start else None,
                "u": to_micros(wanted.end) // 1_000_000 if wanted.end else None,
            },
        )

    def read(self, body: bytes, wanted: Wanted, request: httpx.Request) -> Page:
        """Read the points; one without a number, or of a time that is not over, is left out."""
        del request
        points = decode(_points, body, self._api.name)
        return Page(rows_of("onchain_metrics", self._rows(points, wanted)))

    def _rows(self, points: list[_Point], wanted: Wanted) -> Iterator[dict[str, object]]:
        asset, metric = _parts(wanted.subject)
        over = wanted.now - STEPS[_resolution(wanted)]
        for point in points:
            for name, value in self._values(point, metric):
                if value is not None and from_seconds(point.t) <= over:
                    yield {
                        "venue": self._api.name,
                        "asset": asset,
                        "metric": name,
                        "resolution": _resolution(wanted),
                        "time": from_seconds(point.t),
                        "value": value,
                    }

    def _values(self, point: _Point, metric: str) -> Iterator[tuple[str, float | None]]:
        if point.o is not None:
            yield from ((f"{metric}.{part}", value) for part, value in point.o.items())
        elif point.v is not msgspec.UNSET:
            yield metric, point.v
        else:
            raise SourceMalformed(self._api.name, "expected a point with v or o")


def _parts(subject: str | None) -> tuple[str, str]:
    found = _SUBJECT.fullmatch(subject or "")
    if found is None:
        raise InvalidInput(f"expected {Metrics.subjects}, was {subject!r}")
    return found["asset"], found["metric"]


def _resolution(wanted: Wanted) -> str:
    resolution = wanted.interval or DEFAULT
    if resolution not in RESOLUTIONS:
        raise InvalidInput(f"expected a resolution of {', '.join(RESOLUTIONS)}, was {resolution!r}")
    return resolution
