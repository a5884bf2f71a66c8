"""Broken answers: rows that are well-typed and impossible, pages that are no pages."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.sandbox.damage import break_page, break_rows, cut
from sources.sandbox.faults import Incident

ROW = [
    *(1_704_067_200_000, "10.0", "12.0", "9.0", "11.0", "5.0"),
    *(1_704_067_259_999, "52.0", 3, "2.0", "21.0", "0"),
]
PAGE = msgspec.json.encode([[ROW[0] + 60_000 * k, *ROW[1:]] for k in range(100)])
CHANCES = st.floats(0, 1, exclude_max=True)
INCIDENTS = st.builds(Incident, st.just("any"), CHANCES, CHANCES)


Row = tuple[int, str, str, str, str, str, int, str, int, str, str, str]


def read(body: bytes) -> list[Row]:
    """Read a page as a client does: strictly typed, prices as numbers."""
    rows = msgspec.json.decode(body, type=list[Row])
    for row in rows:
        _ = [float(value) for value in row[1:6]]
    return rows


def impossible(row: list[object]) -> bool:
    open_, high, low, close, volume = (float(str(value)) for value in row[1:6])
    inside = low <= open_ <= high and low <= close <= high  # both are false of NaN
    return not (inside and low > 0 and volume >= 0)


@given(incident=INCIDENTS, share=st.floats(0, 1))
def test_broken_rows_are_as_many_as_asked_and_all_impossible(
    incident: Incident, share: float
) -> None:
    body, count = break_rows(PAGE, incident, share)
    rows = read(body)
    assert count == max(1, round(share * 100))
    assert sum(impossible(list(row)) for row in rows) == count
    assert [row[0] for row in rows] == [row[0] for row in msgspec.json.decode(PAGE)]


def test_rows_are_broken_in_five_ways() -> None:
    body, _ = break_rows(PAGE, Incident("malformed_rows", 0.0, 0.5), 0.05)
    broken = [row for row in msgspec.json.decode(body) if impossible(row)]
    assert any(float(row[2]) < float(row[3]) for row in broken)
    assert any(row[5].startswith("-") for row in broken)
    assert any(row[4] == "0.00000000" for row in broken)
    assert any(row[4] == "NaN" for row in broken)
    assert any(float(row[4]) > float(row[2]) > float(row[3]) for row in broken)


@pytest.mark.parametrize("body", [b"[]", b'{"symbols":[]}'])
def test_what_has_no_rows_stays_as_it_is(body: bytes) -> None:
    assert break_rows(body, Incident("malformed_rows", 0.5, 0.5), 1.0) == (body, 0)


@given(incident=INCIDENTS)
def test_a_cut_body_is_a_real_beginning(incident: Incident) -> None:
    body, _ = cut(PAGE, incident)
    assert len(body) < len(PAGE)
    assert PAGE.startswith(body)
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(body)


@given(incident=INCIDENTS, body=st.sampled_from([PAGE, b"[]", b'{"serverTime":1}']))
def test_a_broken_page_is_never_a_page_of_bars(incident: Incident, body: bytes) -> None:
    page, _ = break_page(body, incident)
    with pytest.raises((msgspec.DecodeError, ValueError)):
        read(page)


def test_pages_are_broken_in_many_ways() -> None:
    pages = {break_page(PAGE, Incident("malformed_pages", k / 16, 0.0)) for k in range(16)}
    assert len(pages) == 8
