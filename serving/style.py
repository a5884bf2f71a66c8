"""Colours and type that pages and charts share."""

from __future__ import annotations

# By role: in light, and in dark mode. A chart names the light values; the page matches them.
PALETTE: dict[str, tuple[str, str]] = {
    "ink": ("#1b2330", "#e8eaed"),
    "muted": ("#68717f", "#9aa3b0"),
    "rule": ("#e2e5ea", "#2c333e"),
    "bar": ("#bcc4ce", "#4a5463"),
    "shade": ("#f1f3f6", "#1e252f"),
    "accent": ("#0b746c", "#4fc9bb"),
    "paper": ("#fdfdfc", "#14181f"),
    "alarm": ("#b3261e", "#e5534b"),
}
INK, MUTED, RULE, BAR, SHADE, ACCENT, PAPER, ALARM = (light for light, _ in PALETTE.values())
FONT = "-apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
