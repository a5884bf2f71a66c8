"""The deployments as they are written: each can run, and those that need keys are off."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # it has no types

from core.datasets import DATASETS
from core.settings import load
from expectations.suites import SUITES
from sources.registry import SOURCES
from tasks.questions import ROUTED, sources_of

ROOT = Path(__file__).resolve().parent.parent
DEPLOYMENTS: dict[str, dict[str, Any]] = {
    one["name"]: one for one in yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
}
ONLINE = load(venue="binance")


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_deployment_runs_a_flow_alone_and_says_what_it_does(name: str) -> None:
    one = DEPLOYMENTS[name]
    module, _, flow = one["entrypoint"].rpartition(".")
    parameters = getattr(importlib.import_module(module), flow).parameters.properties
    assert set(one.get("parameters", {})) <= set(parameters)
    assert one["concurrency_limit"] == {"limit": 1, "collision_strategy": "CANCEL_NEW"}
    assert len(one["description"].split()) > 5


@pytest.mark.parametrize(
    "name", [name for name, one in DEPLOYMENTS.items() if "datasets" in one.get("parameters", {})]
)
def test_what_is_collected_can_be_gated_and_is_on_unless_it_needs_a_key(name: str) -> None:
    one = DEPLOYMENTS[name]
    datasets = one["parameters"]["datasets"]
    assert set(datasets) <= set(DATASETS)
    assert set(datasets) <= set(SUITES)
    asked = {source for dataset in datasets for source in sources_of(dataset, ONLINE)}
    free = asked == {ROUTED} or any(
        source == ROUTED or SOURCES[source].key != "needed" for source in asked
    )
    active = all(schedule.get("active", True) for schedule in one["schedules"])
    if active:
        assert free
    else:
        assert any(source != ROUTED and SOURCES[source].key == "needed" for source in asked)


def test_nothing_secret_is_written_here() -> None:
    text = (ROOT / "prefect.yaml").read_text()
    assert "_KEY" not in text
    assert "password" not in text
