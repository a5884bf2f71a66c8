import os
from pathlib import Path

import pytest

from core.environment import prefer_running_server, prepare_prefect, server_address


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
