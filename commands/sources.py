"""The sources: what there is, and how each does."""

from __future__ import annotations

from commands.console import DONE, Json, load_settings, print_json


def sources(*, as_json: Json = False) -> int:
    """List every source: what it gives, whether its key is set, its health, its limits left."""
    settings = load_settings()
    from datetime import timedelta

    from core.clock import utc_now
    from serving.sources import show_sources, source_lines
    from sources.registry import SOURCES, key_of
    from storage import health
    from storage.store import default_store

    now = utc_now()
    listed = [
        {
            "name": info.name,
            "summary": info.summary,
            "gives": info.gives,
            "key": info.key,
            "setting": info.key_setting,
            "has_key": key_of(info, settings) is not None,
        }
        for info in SOURCES.values()
    ]
    aside = timedelta(hours=settings.routing.aside_hours)
    lines = source_lines(listed, health.latest(default_store()), now=now, aside=aside)
    if as_json:
        print_json(lines)
    else:
        show_sources(lines, now)
    return DONE
