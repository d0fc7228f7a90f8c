"""Colours and markers that figures share."""

from __future__ import annotations

COLOURS = (
    "#3b6fb6", "#c2542d", "#3f8f5f", "#8a5fb0", "#b08a2e", "#5a7684", "#b0476e", "#4d4d4d", "#19a5b5", "#e29ac4"
)  # fmt: skip
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "*", "<", ">")
