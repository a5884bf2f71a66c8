"""Every question of the providers beyond venues, answered as documented, and answered wrongly."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from core.datasets import DATASETS
from core.errors import (
    InvalidInput,
    NightjarError,
    RateLimited,
    SourceMalformed,
    SourceRejected,
    SourceUnavailable,
)
from sources.http import accept, send
from sources.provider import Wanted, collect, stamped
from tests.sources.examples import EXAMPLES, IDS, NOW, PROVIDERS, Example, packed
from tests.sources.fakes import FakeTime

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

KEYLESS = {"dexscreener", "yahoo"}
each = pytest.mark.parametrize("example", EXAMPLES, ids=IDS)


@each
def test_an_answer_as_documented_becomes_rows_of_its_dataset(example: Example) -> None:
    page = example.read()
    assert page.rows.height == example.rows
    if page.rows.height:
        rows = stamped(example.dataset, page.rows, source="test", now=NOW)
        assert rows.schema == DATASETS[example.dataset].schema
        declared = DATASETS[example.dataset]
        assert rows.select(declared.key).null_count().sum_horizontal().item() == 0
        assert rows.select(declared.key).n_unique() == rows.height


def test_every_feed_has_an_example() -> None:
    known = {(name, dataset) for name, one in PROVIDERS.items() for dataset in one.feeds}
    assert {(example.provider, example.dataset) for example in EXAMPLES} == known


@each
def test_every_cut_of_an_answer_is_an_error(example: Example) -> None:
    for end in range(0, len(example.body.strip()), max(1, len(example.body) // 60)):
        cut = example.body[:end]
        if example.provider == "stooq" and cut.endswith(b"\n"):
            assert example.read(cut).rows.height < example.rows  # whole lines cannot tell
            continue
        with pytest.raises((SourceUnavailable, SourceMalformed)):
            example.read(cut)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path to every value of an answer."""
    if path:
        yield path
    if isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(part, (*path, key))


def changed(answer: Any, path: tuple[Any, ...], change: Any) -> Any:
    copy = json.loads(json.dumps(answer))
    parent = copy
    for key in path[:-1]:
        parent = parent[key]
    if change is REMOVED:
        del parent[path[-1]]
    else:
        parent[path[-1]] = change
    return copy


REMOVED = object()
WRONG = [REMOVED, None, "", "x", "1_000", "NaN", -1, 10**30, 1.5, True, [], {}, [[[]]], "１２"]


@pytest.mark.parametrize(
    "example",
    [e for e in EXAMPLES if e.provider != "stooq"],
    ids=[name for name in IDS if not name.startswith("stooq")],
)
def test_a_wrong_value_anywhere_is_an_error_or_rows_of_the_contract(example: Example) -> None:
    answer = json.loads(example.body)
    for path in places(answer):
        for change in WRONG:
            body = json.dumps(changed(answer, path, change)).encode()
            try:
                page = example.read(body)
            except NightjarError:
                continue
            if page.rows.height:
                stamped(example.dataset, page.rows, source="test", now=NOW)


@each
@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]x", b"{}", b"3", b'"text"', b"[" * 2_000, b"\xff\xfe", b"<html></html>"],
)
def test_what_is_no_answer_is_an_error_or_nothing(example: Example, body: bytes) -> None:
    try:
        page = example.read(body)
    except NightjarError:
        return
    assert page.rows.is_empty()


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, SourceRejected),
        (401, SourceRejected),
        (403, SourceRejected),
        (404, SourceRejected),
        (422, SourceRejected),
        (418, RateLimited),
        (429, RateLimited),
        (500, SourceUnavailable),
        (503, SourceUnavailable),
    ],
)
def test_a_refusal_is_of_the_right_kind_and_keeps_the_key(
    name: str, status: int, kind: type[NightjarError]
) -> None:
    provider = PROVIDERS[name]
    example = next(one for one in EXAMPLES if one.provider == name)
    said = "no such thing" if name in KEYLESS else "no such thing for canary:canary"
    body = packed({"error": said, "status": {"error_code": 7}})

    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, content=body, headers={"retry-after": "7"})

    client = httpx.Client(transport=httpx.MockTransport(answer))
    with pytest.raises(kind) as caught:
        accept(send(client, example.request(), name), name, provider.explain)
    assert "canary" not in str(caught.value)
    if isinstance(caught.value, RateLimited):
        assert caught.value.retry_after == 7
    if type(caught.value) is SourceRejected:
        assert "no such thing" in str(caught.value)


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_key_is_shown_by_nothing_that_people_see(name: str) -> None:
    provider = PROVIDERS[name]
    example = next(one for one in EXAMPLES if one.provider == name)
    assert "canary" not in repr(provider) + repr(vars(provider)) + repr(example.question)
    if name not in {"helius", "stooq"}:  # these take it nowhere else
        assert "canary" not in str(example.request().url)


@pytest.mark.parametrize(
    "name", [name for name in PROVIDERS if name not in {"dexscreener", "yahoo"}]
)
def test_a_key_is_sent(name: str) -> None:
    example = next(one for one in EXAMPLES if one.provider == name)
    request = example.request()
    sent = str(request.url) + repr(sorted(request.headers.multi_items()))
    assert "canary" in sent or "Y2FuYXJ5OmNhbmFyeQ==" in str(dict(request.headers))


@each
def test_a_subject_that_is_none_is_refused_before_anything_is_asked(example: Example) -> None:
    for subject in ("", "  ", "../../etc/passwd", "BTC", "a b c d", "x" * 300, "BTC-USD,ETH-EUR"):
        try:
            request = example.feed.request(Wanted(now=NOW, subject=subject))
        except InvalidInput:
            continue
        assert ".." not in request.url.path
        assert len(str(request.url)) < 1_000


@each
def test_an_answer_arrives_through_the_loop(example: Example) -> None:
    bodies = iter([*example.before, example.body])
    kind = "application/json" if getattr(example.feed, "json", True) else "text/csv"

    def answer(_request: httpx.Request) -> httpx.Response:
        body = next(bodies, None)
        headers = {"content-type": kind}
        return httpx.Response(404 if body is None else 200, content=body or b"{}", headers=headers)

    client, time = httpx.Client(transport=httpx.MockTransport(answer)), FakeTime()
    pages: list[pl.DataFrame] = []
    try:
        for page in collect(
            PROVIDERS[example.provider],
            example.dataset,
            example.question,
            client,
            pacer=time.pacer(),
            retry=time.retry(),
        ):
            pages.append(page)  # noqa: PERF402 - what came before the end is kept
    except SourceRejected:
        assert example.read().following is not None
    earlier = (example.before[:n] for n in range(len(example.before)))
    steps = [replace(example, body=example.before[len(b)], before=b) for b in earlier]
    assert sum(page.height for page in pages) == sum(
        step.read().rows.height for step in (*steps, example)
    )
    assert all(set(page["source"]) == {f"{example.provider}:rest"} for page in pages)
