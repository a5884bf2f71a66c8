"""What runs until Ctrl-C: the desk, and the offline exchange."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from commands.console import (
    DONE,
    load_settings,
)
from core.environment import prepare_prefect
from core.errors import InvalidInput


def up(*, port: int = 4200) -> int:
    """Run the desk until Ctrl-C: Prefect's server and UI, the deployments, a worker.

    Args:
        port: where the UI listens on this machine; 0 takes any free port.
    """
    settings = load_settings()
    prepare_prefect(settings.home)
    from serving.desk import desk, wait_for_goodbye

    with desk(settings.home, _project(), port=port) as url:
        print(f"The desk is open at {url} (Ctrl-C closes it)", flush=True)
        wait_for_goodbye()
        print("closing ...", flush=True)
    return DONE


def sandbox(
    *,
    port: int = 8490,
    seed: int | None = None,
    fault: Annotated[list[str] | None, Parameter(negative="")] = None,
    script: str | None = None,
    markets: int = 8,
) -> int:
    """Run the offline exchange on a local port until Ctrl-C.

    Args:
        port: where it listens on this machine; 0 takes any free port.
        seed: decides its markets; default is the setting.
        fault: a fault and its rate, such as server_errors=0.1; may be given several times.
        script: what is to happen to whole venues, as JSON; see docs/sandbox.md.
        markets: how many it lists; beyond eight there is only noise.
    """
    settings = load_settings()
    from sources.sandbox.faults import Faults
    from sources.sandbox.incidents import Script
    from sources.sandbox.process import serve

    serve(
        port,
        settings.sandbox_seed if seed is None else seed,
        Faults.of(dict(_rate(text) for text in fault or [])),
        script=Script.read(script) if script else None,
        markets=markets,
        announce=lambda url: print(f"the sandbox exchange answers at {url} (Ctrl-C ends it)"),
    )
    return DONE


def _rate(text: str) -> tuple[str, float | int]:
    name, _, rate = text.partition("=")
    try:
        return name, int(rate) if rate.isdigit() else float(rate)
    except ValueError:
        raise InvalidInput(f"expected a fault as name=rate, was {text!r}") from None


def _project() -> Path:
    project = Path(__file__).resolve().parent.parent
    if not (project / "prefect.yaml").is_file():
        raise InvalidInput(f"expected nightjar's checkout with prefect.yaml in {project}")
    return project
