"""Who watches a plan and how that goes, and what became of a service."""

from __future__ import annotations

from tt.core.service import Serving
from tt.core.watcher import Watcher, Watching
from tt.record import as_dict
from tt.render.history import when
from tt.render.text import Look, safe

_HOW = {
    "foreground": "in a terminal",
    "background": "in the background",
    "service": "as a service",
}


def who(watcher: Watcher) -> str:
    """Return a watcher in a few words, its process first."""
    what = {True: ["two-way"], False: ["push only"], None: []}[watcher.two_way]
    words = [f"pid {watcher.pid or 'unknown'}", _HOW.get(watcher.how, ""), *what]
    words += ["for all plans"] if watcher.every else []
    return ", ".join(safe(word) for word in words if word)


def watching_lines(watching: Watching | None, look: Look, *, every: bool = False) -> list[str]:
    """Return all that is known of a watcher."""
    if watching is None:
        command = "tt watch --all" if every else "tt watch"
        return [f"Nobody watches {'all plans' if every else 'this plan'}; `{command}` does."]
    watcher, state = watching.watcher, watching.state
    lines = [f"{look.paint('Watching', 'green')}  {who(watcher)}"]
    if watcher.started:
        lines.append(f"Since     {when(watcher.started)}")
    if state is None:
        return [*lines, "State     it has just begun", *_log(watcher)]
    good = "yellow" if state.problem else "green"
    problem = f": {safe(state.problem)}" if state.problem else ""
    lines.append(f"State     {look.paint(safe(state.state), good)}{problem}")
    lines += [f"Synced    {when(state.synced)}"] if state.synced else []
    lines += [f"Verified  {when(state.verified)}"] if state.verified else []
    return [*lines, *_log(watcher)]


def _log(watcher: Watcher) -> list[str]:
    return [f"Log       {safe(watcher.log)}"] if watcher.log else []


def watch_line(watching: Watching | None) -> str:
    """Return the same in one line."""
    if watching is None:
        return "nobody (tt watch)"
    state = watching.state
    problem = state.problem or state.state if state else "it has just begun"
    return f"{who(watching.watcher)}: {safe(problem)}"


def watching_data(watching: Watching | None) -> dict[str, object] | None:
    """Return it for programs."""
    if watching is None:
        return None
    state = watching.state
    return {**as_dict(watching.watcher), "state": None if state is None else as_dict(state)}


def serving_lines(serving: Serving, look: Look) -> list[str]:
    """Return what became of a service: its file, and whether it runs."""
    signs = {"made": "+", "changed": "~", "removed": "-", "kept": "=", "absent": "="}
    colors = {"made": "green", "changed": "yellow", "removed": "red"}
    sign = look.paint(signs[serving.done], colors.get(serving.done, "dim"))
    if serving.done == "absent":
        return [f"{sign} {safe(serving.file)}  there is none"]
    lines = [f"{sign} {safe(serving.file)}  {serving.done}"]
    if serving.edited:
        lines.append("    It was edited since it was installed: it stays, for you to remove.")
    turned = serving.turned
    if turned.trouble:
        lines.append(f"It could not be {_wanted(serving)}: {safe(turned.trouble)}.")
        lines += ["Where that works, run:", *(f"    {safe(each)}" for each in turned.todo)]
    elif serving.done == "removed" or serving.edited:
        lines.append("It has ended, and will not start again.")
    else:
        lines.append("It watches now, and from the start of each session on.")
    return lines


def _wanted(serving: Serving) -> str:
    return "stopped" if serving.done == "removed" or serving.edited else "started"
