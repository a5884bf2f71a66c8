"""What headers say of our budget."""

from __future__ import annotations

import math

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.limits import Budget, gap_for, read_budget

DATE = {"date": "Fri, 20 Nov 2026 12:00:45 GMT"}
SENT = 1_795_176_045  # the same in seconds since 1970


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"X-MBX-USED-WEIGHT-1M": "1500", **DATE}, Budget(0.75, 4_500, 15)),
        ({"X-MBX-USED-WEIGHT-1M": "7000"}, Budget(0, 0, 60)),
        (
            {
                "gw-ratelimit-limit": "500",
                "gw-ratelimit-remaining": "250",
                "gw-ratelimit-reset": "15000",
            },
            Budget(0.5, 250, 15),
        ),
        (
            {
                "X-Bapi-Limit": "10",
                "X-Bapi-Limit-Status": "9",
                "X-Bapi-Limit-Reset-Timestamp": str(SENT * 1_000 + 500),
                **DATE,
            },
            Budget(0.9, 9, 0.5),
        ),
        (
            {
                "x-rate-limit-limit": "450",
                "x-rate-limit-remaining": "45",
                "x-rate-limit-reset": str(SENT + 90),
                **DATE,
            },
            Budget(0.1, 45, 90),
        ),
        (
            {"x-ratelimit-used": "40", "x-ratelimit-remaining": "60.0", "x-ratelimit-reset": "120"},
            Budget(0.6, 60, 120),
        ),
        (
            {
                "RateLimit-Limit": "100, 100;w=60",
                "RateLimit-Remaining": "5",
                "RateLimit-Reset": "3",
            },
            Budget(0.05, 5, 3),
        ),
    ],
)
def test_each_family_of_headers_is_read(headers: dict[str, str], expected: Budget) -> None:
    found = read_budget(httpx.Headers(headers), weight_limit=6_000)
    assert found is not None
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-MBX-USED-WEIGHT-1M": "many"},
        {"x-rate-limit-limit": "450", "x-rate-limit-remaining": "45"},
        {"x-rate-limit-limit": "0", "x-rate-limit-remaining": "0", "x-rate-limit-reset": "9"},
        {"ratelimit-limit": "-5", "ratelimit-remaining": "1", "ratelimit-reset": "3"},
        {"ratelimit-limit": "١٠", "ratelimit-remaining": "1", "ratelimit-reset": "3"},
        # A moment, and no clock of the source to compare it with.
        {"ratelimit-limit": "5", "ratelimit-remaining": "1", "ratelimit-reset": str(SENT)},
    ],
)
def test_what_cannot_be_read_says_nothing(headers: dict[str, str]) -> None:
    assert read_budget(headers, weight_limit=6_000) is None


def test_a_weight_without_a_known_limit_says_nothing() -> None:
    assert read_budget({"x-mbx-used-weight-1m": "10"}) is None


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30), st.text(max_size=40))
def test_no_header_makes_an_error_or_a_wait_beyond_a_day(
    limit: str, remaining: str, reset: str, date: str
) -> None:
    found = read_budget(
        {
            "ratelimit-limit": limit,
            "ratelimit-remaining": remaining,
            "ratelimit-reset": reset,
            "date": date,
        }
    )
    if found is not None:
        assert 0 <= found.left <= 1
        assert 0 <= found.resets_in <= 86_400


def test_what_is_left_is_spread_over_the_rest_of_the_window() -> None:
    assert gap_for(Budget(0.9, 90, 60)) == 0
    assert gap_for(Budget(0.2, 20, 60)) == pytest.approx(3)
    assert gap_for(Budget(0, 0, 60)) == math.inf
