"""The documents keep up with the code, or these fail."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

import nightjar
from core.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *(ROOT / "docs").glob("*.md"),
]


def setting_keys() -> list[str]:
    keys = []
    for name, field in Settings.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            keys += [f"{name}.{inner}" for inner in kind.model_fields]
        else:
            keys.append(name)
    return keys


def commands() -> list[str]:
    return [name for name in nightjar.app if not name.startswith("-")]


def test_every_setting_is_documented_and_no_other() -> None:
    text = (ROOT / "docs" / "settings.md").read_text()
    assert re.findall(r"^\| `([a-z_.]+)` \|", text, re.MULTILINE) == setting_keys()


@pytest.mark.parametrize("command", commands())
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert nightjar.run([command, "--help"]) == nightjar.DONE
    assert f"nightjar {command}" in capsys.readouterr().out


@pytest.mark.parametrize("command", set(commands()) - {"sandbox"})
def test_the_readme_shows_every_command_of_the_desk(command: str) -> None:
    assert f"nightjar {command}" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_page_of_the_docs_can_be_found_from_the_readme() -> None:
    linked = (ROOT / "README.md").read_text()
    assert [p.name for p in (ROOT / "docs").glob("*.md") if f"docs/{p.name}" not in linked] == []


def test_every_make_target_explains_itself() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony is not None
    for target in phony[1].split():
        assert re.search(rf"^{target}:.*## \w", makefile, re.MULTILINE), target


def test_the_changelog_knows_the_version() -> None:
    assert f"## {nightjar.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_the_lock_names_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    assert not re.search(r"^-", lock, re.MULTILINE)
    assert "--hash=sha256:" in lock
