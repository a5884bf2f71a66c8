"""Reference values that two or more programs agree on, where they lie beside the checkout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ORACLES = Path(__file__).resolve().parents[4] / "shared" / "oracles"


class Oracles:
    """The files by name: `.json` read, `.csv` as an array."""

    def values(self, name: str) -> Any:
        return json.loads((ORACLES / name).read_text())

    def matrix(self, name: str) -> np.ndarray:
        return np.loadtxt(ORACLES / name, delimiter=",")


@pytest.fixture(scope="session")
def oracles() -> Oracles:
    """Skip where the files are not beside this checkout."""
    if not ORACLES.is_dir():
        pytest.skip("the reference values are not beside this checkout")
    return Oracles()
