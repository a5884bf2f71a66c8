from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from serving.morning import show_night

if TYPE_CHECKING:
    import pytest

ROW = {
    "market": "portfolio of 3",
    "candidate_id": "0123456789abcdef",
    "text": "[BTC-USDT]\nlong when rsi(14) < 30\non 1h",
    "score": 12.25,
    "shrunk": 11.5,
    "cautious": 7.05,
    "p_value": 0.002,
    "permutation_p": 0.025,
    "total_return": 0.31,
    "max_drawdown": 0.08,
    "trades": 1_200,
    "verdict": "promoted",
}
MISS = ROW | {
    "candidate_id": "fedcba9876543210",
    "market": "ETH-USDT",
    "shrunk": None,
    "cautious": None,
    "permutation_p": None,
    "verdict": "not_above_luck",
    "why": "luck alone does as well too often: p = 0.46, and at most 0.005 promotes",
}


def shown(capsys: pytest.CaptureFixture[str], **changes: Any) -> str:
    values: dict[str, Any] = {
        "night": "2026-06-01T0300-abcdef01",
        "headline": "Nothing promoted: [bold]luck[/bold] alone did as well.",
        "alarm": None,
        "venue": "binance",
        "symbols": ("BTC-USDT", "ETH-USDT"),
        "alpha": 0.005,
        "p_value": 0.4583,
        "permutation_p": None,
        "best_score": 6.0,
        "worlds": 23,
        "as_good": 10,
        "permuted_worlds": 0,
        "luck_hurdle": 8.5,
        "smallest_sharpe": 10.2,
        "trials": 12_345,
        "distinct_trials": 9_876,
        "effective_trials": 312.0,
        "refused": 3,
        "candidates": 50,
        "verdicts": {"not_above_luck": 50},
        "promoted": [],
        "nearest": [MISS] * 5,
        "running": 0,
        "ledger": "5e" * 32,
        "report": "data/reports/night.html",
        "timings": {"search": 60.0, "luck": 300.4},
    }
    show_night(SimpleNamespace(**(values | changes)))
    return capsys.readouterr().out


def test_the_headline_is_first_and_stays_text(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [line for line in shown(capsys).splitlines() if line.strip()]
    assert lines[0].strip() == "Nothing promoted: [bold]luck[/bold] alone did as well."


def test_luck_power_and_counts_are_told_in_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys)
    for said in (
        "best score 6.00; luck did as well in 10 of 23 mirrored worlds: p = 0.46, at most 0.005",
        "finds a true Sharpe ratio of 10.2 four times in five; luck reaches 8.5",
        "12,345 trials of 9,876 strategies on 2 symbols of binance, as lucky as about 310",
        "3 refused by the look-ahead proof",
        "50 candidates: 50 not above luck",
        "5e" * 32,
        "took 360 s (search 60 s, luck 300 s)",
        "report: data/reports/night.html",
    ):
        assert said in text
    assert "permuted" not in text.replace("p permuted", "")
    assert "paper trading" not in text
    assert "SANDBOX" not in text


def test_three_of_the_nearest_are_named_with_why(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys)
    assert text.count("fedcba9876543210: luck alone does as well too often: p = 0.46") == 3


def test_winners_come_before_the_nearest_each_with_its_text(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = shown(
        capsys,
        promoted=[ROW],
        permutation_p=0.025,
        permuted_worlds=39,
        verdicts={"promoted": 1, "not_above_luck": 49},
        running=4,
    )
    assert text.index("0123456789abcdef") < text.index("fedcba9876543210")
    assert "portfolio of 3 12.25 7.0 to 11.5 0.002 0.025 +31.0 % 8.0 % 1,200" in " ".join(
        text.split()
    )
    assert "[BTC-USDT]\nlong when rsi(14) < 30" in text
    assert "p = 0.025 in 39 permuted worlds" in text
    assert "1 promoted to paper trading, 49 not above luck" in text
    assert "paper trading: 4 promotions running" in text
    assert "the report has" not in text


def test_the_texts_of_many_winners_are_left_to_the_report(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = shown(capsys, promoted=[ROW] * 10)
    assert text.count("long when rsi(14) < 30") == 3
    assert "the report has the other 7 texts" in text


def test_an_alarm_and_the_sandbox_come_before_everything(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = shown(capsys, alarm=3.4, venue="sandbox")
    assert text.index("ALARM: worlds without an edge look 3.4 ×") < text.index("Nothing promoted")
    assert text.index("SANDBOX: not real markets") < text.index("Nothing promoted")


def test_a_night_without_candidates_can_be_shown(capsys: pytest.CaptureFixture[str]) -> None:
    nothing = dict.fromkeys(("p_value", "best_score", "luck_hurdle", "smallest_sharpe", "ledger"))
    text = shown(
        capsys,
        **nothing,
        worlds=0,
        candidates=0,
        verdicts={},
        nearest=[],
        effective_trials=None,
    )
    assert "0 candidates: none" in text
    assert "best score" not in text
    assert "as lucky as" not in text
    assert "ledger" not in text
