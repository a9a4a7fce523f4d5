"""How the built-in Redis is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from tt.render.text import Look, safe

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def server_lines(server: Mapping[str, object], elsewhere: str | None, look: Look) -> list[str]:
    """Return what a server says of itself; `elsewhere` is the one this project uses instead."""
    state = look.paint("runs", "green") if server["running"] else "does not run"
    lines = [
        f"The built-in Redis {state}.",
        f"Address   {safe(str(server['address']))}",
        f"Directory {safe(str(server['directory']))}",
    ]
    if server["running"]:
        megabytes = cast("int", server["used_memory"]) / 1_000_000
        lines += [
            f"Version   {safe(str(server['version']))}",
            f"Process   {server['pid']}, for {_duration(cast('int', server['uptime_s']))}",
            f"Memory    {megabytes:.1f} MB",
            f"Saves     {'yes' if server['saves'] else look.paint('no: see its log', 'red')}",
        ]
    if elsewhere is not None:
        lines += ["", f"This project uses another: {safe(elsewhere)} (see `tt config`)"]
    return lines


def _duration(seconds: int) -> str:
    """Return a time in its largest unit: `3 d`, `12 min`."""
    size, unit = next((unit for unit in _UNITS if seconds >= unit[0]), _UNITS[-1])
    return f"{seconds // size} {unit}"
