"""Keys that a person keeps in Prefect, rather than in the environment: Secret blocks.

https://docs.prefect.io/v3/how-to-guides/configuration/store-secrets
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect.blocks.system import Secret
from pydantic import SecretStr

from sources.registry import SOURCES, key_of
from tasks.questions import ROUTED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.settings import Settings


def block_name(source: str) -> str:
    """Return the name of the block that holds a source's key: `nightjar-moralis-key`."""
    return f"nightjar-{source.replace('_', '-')}-key"


def with_secret_blocks(settings: Settings, sources: Iterable[str]) -> Settings:
    """Return the settings with the keys that Secret blocks hold; what is set here stays.

    Only the sources that are asked are looked for. Called where a flow runs.
    """
    asked = set(sources)
    if ROUTED in asked:
        asked |= set(settings.routing.prices)
    for name in sorted(asked & set(SOURCES)):
        setting = SOURCES[name].key_setting
        if setting is None or key_of(SOURCES[name], settings) is not None:
            continue
        key = _secret(block_name(name))
        if key is not None:
            settings = _with_key(settings, setting, key)
    return settings


def _secret(name: str) -> SecretStr | None:
    try:
        held = Secret.load(name)
    except ValueError:  # there is no such block
        return None
    value = held.get()  # type: ignore[union-attr]  # not a coroutine where no loop runs
    return SecretStr(value) if isinstance(value, str) and value else None


def _with_key(settings: Settings, setting: str, key: SecretStr) -> Settings:
    group, _, field = setting.partition(".")
    if not field:
        return settings.model_copy(update={group: key})
    filled = getattr(settings, group).model_copy(update={field: key})
    return settings.model_copy(update={group: filled})
