import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.environment import prefer_running_server, prepare_prefect, server_address

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in [key for key in os.environ if key.startswith(("PREFECT_", "DO_NOT"))]:
        monkeypatch.delenv(key)
    monkeypatch.setattr(os, "environ", os.environ.copy())


def test_prefect_lives_in_the_desks_home_and_sends_nothing(tmp_path: Path) -> None:
    prepare_prefect(tmp_path)
    assert os.environ["PREFECT_HOME"] == str(tmp_path.resolve() / "prefect")
    assert os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"


def test_what_a_person_has_set_stays(tmp_path: Path) -> None:
    os.environ["PREFECT_HOME"] = "/elsewhere"
    prepare_prefect(tmp_path)
    assert os.environ["PREFECT_HOME"] == "/elsewhere"


def test_a_running_server_is_preferred(tmp_path: Path) -> None:
    prefer_running_server(tmp_path)
    assert "PREFECT_API_URL" not in os.environ
    server_address(tmp_path).parent.mkdir(parents=True)
    server_address(tmp_path).write_text("http://127.0.0.1:4200/api\n")
    prefer_running_server(tmp_path)
    assert os.environ["PREFECT_API_URL"] == "http://127.0.0.1:4200/api"


def test_a_server_that_the_person_names_is_over_it(tmp_path: Path) -> None:
    server_address(tmp_path).parent.mkdir(parents=True)
    server_address(tmp_path).write_text("http://127.0.0.1:4200/api\n")
    os.environ["PREFECT_API_URL"] = "http://127.0.0.1:9/api"
    prefer_running_server(tmp_path)
    assert os.environ["PREFECT_API_URL"] == "http://127.0.0.1:9/api"


PRODUCT = (
    "from pathlib import Path; from core.environment import prepare_prefect;"
    "prepare_prefect(Path('.')) if {prepared} else None;"
    "import hashlib, numpy;"
    "drawn = numpy.random.default_rng(1).standard_normal((500, 90));"
    "print(hashlib.sha256((drawn @ drawn.T).tobytes()).hexdigest())"
)


def product(*, prepared: bool, **env: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", PRODUCT.format(prepared=prepared)],
        env=os.environ | {"PYTHONPATH": str(ROOT)} | env,
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def test_products_of_matrices_do_not_depend_on_how_many_cores_there_are() -> None:
    alone = product(prepared=False, OPENBLAS_NUM_THREADS="1")
    assert product(prepared=True, OMP_NUM_THREADS="2") == alone
