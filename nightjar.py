"""nightjar's front door: the command line.

Exit codes: 0 done, 1 failed, 2 misused, 3 a gate refused. Every command that a program may read
takes `--json`. Rooms are imported inside the commands, so that `nightjar --help` is quick.
"""

from __future__ import annotations

import sys

from cyclopts import App, CycloptsError

from commands import data, ledger, night, quarantine, servers, sources, strategies, upkeep
from commands.console import DONE, FAILED, MISUSED, REFUSED
from core.errors import GateRefused, InvalidInput, NightjarError, QueryRefused, SettingsError

__version__ = "0.1.0"

app = App(
    name="nightjar",
    help="A quant desk for crypto that works at night, and says what its winners are worth.",
    version=__version__,
    result_action="return_value",
)
for command in (
    night.nightly,
    data.ingest,
    sources.sources,
    data.sql,
    strategies.backtest,
    strategies.lookahead,
    data.status,
    data.repair,
    upkeep.archive,
    upkeep.doctor,
    upkeep.backup,
    night.report,
    night.desk,
    servers.up,
    servers.sandbox,
):
    app.command(command)

_ledger = App(name="ledger", help="Every strategy that was ever evaluated, chained night by night.")
_ledger.command(ledger.verify)
_ledger.command(ledger.show)
app.command(_ledger)

_quarantine = App(name="quarantine", help="Rows that a gate held back: list, explain, release.")
_quarantine.command(quarantine.list_rows, name="list")
_quarantine.command(quarantine.show)
_quarantine.command(quarantine.release)
app.command(_quarantine)


def main(arguments: list[str] | None = None) -> None:
    """Run one command and leave with its exit code."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit code, with the error said on stderr."""
    try:
        done = app(arguments, exit_on_error=False, print_error=True)
    except CycloptsError:
        return MISUSED
    except NightjarError as error:
        print(f"nightjar: {error}", file=sys.stderr)
        return _code(error)
    except KeyboardInterrupt:
        return 130
    return done if isinstance(done, int) else DONE


def _code(error: NightjarError) -> int:
    if isinstance(error, GateRefused):
        return REFUSED
    return MISUSED if isinstance(error, (InvalidInput, SettingsError, QueryRefused)) else FAILED


if __name__ == "__main__":
    main()
