from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest

from serving import charts
from serving.candidates import Curve
from serving.style import ACCENT, ALARM, INK
from tests.serving.pages import Page

DAYS = [date(2026, 3, 1) + timedelta(n) for n in range(90)]
RISING = Curve(DAYS, [1 + 0.01 * n for n in range(90)])
FLAT = Curve(DAYS, [1.0] * 90)


def test_a_chart_needs_no_network_and_nests_cleanly() -> None:
    svg = charts.svg(charts.equity(RISING, FLAT, promoted=True), "one")
    page = Page(svg)
    assert page.loads == []
    assert page.badly_nested == []
    assert "http" not in svg
    assert "<script" not in svg


def test_ids_of_two_charts_never_meet() -> None:
    chart = charts.equity(RISING, FLAT, promoted=True)
    first, second = charts.svg(chart, "one"), charts.svg(chart, "two")
    assert not set(Page(first).ids) & set(Page(second).ids)
    for svg, page in ((first, Page(first)), (second, Page(second))):
        assert set(re.findall(r"url\(#([^)]+)\)", svg)) <= set(page.ids)


def test_the_same_chart_gives_the_same_bytes() -> None:
    def drawn() -> str:
        return charts.svg(charts.equity(RISING, FLAT, promoted=True), "one")

    assert drawn() == drawn()


def test_only_a_promoted_curve_has_the_accent_colour() -> None:
    assert ACCENT in charts.svg(charts.equity(RISING, FLAT, promoted=True), "one")
    failed = charts.svg(charts.equity(RISING, FLAT, promoted=False), "one")
    assert ACCENT not in failed
    assert INK in failed


@pytest.mark.parametrize("days", [1, 2, 3_650])
def test_short_and_long_curves_can_be_drawn(days: int) -> None:
    curve = Curve([date(2016, 1, 1) + timedelta(n) for n in range(days)], [1.0] * days)
    assert len(charts.svg(charts.equity(curve, None, promoted=False), "one")) < 30_000


@pytest.mark.parametrize("kills", [None, [-0.02, -0.03, -0.035]])
def test_paper_is_drawn_beside_its_forecast(kills: list[float] | None) -> None:
    svg = charts.svg(charts.forward([0.01, 0.0, 0.02], [0.002, 0.004, 0.006], kills), "one")
    assert "days on paper" in svg
    assert ACCENT in svg
    assert (ALARM in svg) == (kills is not None)


def test_ten_years_on_paper_make_a_small_chart() -> None:
    line = [0.001 * n for n in range(3_650)]
    assert len(charts.svg(charts.forward(line, line, line), "one")) < 40_000


def test_thinning_keeps_the_last_day() -> None:
    curve = Curve([DAYS[0] + timedelta(n) for n in range(1_001)], [1.0 + n for n in range(1_001)])
    rows = charts._thinned(curve)
    assert len(rows) <= 401
    assert rows[-1]["change"] == 1_000.0


def test_days_are_drawn_in_utc_whatever_the_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn() -> str:
        return charts.svg(charts.equity(RISING, FLAT, promoted=True), "one")

    here = drawn()
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    assert drawn() == here


def test_gaps_stand_out_and_hostile_names_stay_text() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    hole = (start + timedelta(days=3), start + timedelta(days=4))
    name = '<script>alert("1")</script>'
    svg = charts.svg(
        charts.stretches([charts.Stretch(name, start, start + timedelta(days=9), [hole])]), "held"
    )
    assert ACCENT in svg
    assert "script" not in Page(svg).tags


def test_a_png_is_a_png() -> None:
    chart = charts.equity(RISING, None, promoted=False)
    assert charts.png(chart, scale=0.5).startswith(b"\x89PNG")
