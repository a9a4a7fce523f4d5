"""Whether Git reaches our hooks: looked up first, and then proven by a run of ours alone."""

from __future__ import annotations

import os

from tt.app.hookplace import HookDirectory, HookPlace
from tt.app.mergedriver import driver_state
from tt.core.githooks import HooksReport, HookState, config_hooks, hook_name
from tt.core.shim import (
    EVENTS,
    INSIDE,
    HookFile,
    first_of,
    has_block,
    is_empty,
    known_as,
    leads,
    program_of,
    same_version,
    stripped,
)
from tt.record import replace


def hook_status(place: HookPlace) -> HooksReport:
    """Say for each event whether Git reaches our hook, and how. Runs no hook but ours."""
    directory, scope = place.git.directory()
    files = None if scope == "none" else place.open(directory)
    states = tuple(_proven(place, files, event) for event in EVENTS)
    return HooksReport(directory, scope, states, driver_state(place))


def _proven(place: HookPlace, files: HookDirectory | None, event: str) -> HookState:
    """Look at what there is, and let Git run it where it seems to be ours."""
    state = _looked_up(place, None if files is None else files.read(event), event)
    if not state.reached:
        return state
    path = place.git.directory()[0] / event
    if place.git.reaches(event, path, by_config=_configured(place, event)):
        return state
    return replace(state, reached=False, note="Git was asked to run it, and it did not arrive")


def _looked_up(place: HookPlace, hook: HookFile | None, event: str) -> HookState:
    if _configured(place, event):
        return _by_config(place, event)
    if hook is not None and has_block(hook.data):
        return _by_file(place, hook, event)
    note = ""
    if any(key.startswith(f"hook.{hook_name(event)}.") for key in place.git.ours()):
        note = "it is in Git's configuration, which this Git is too old to look at"
    if hook is not None and hook.runs:
        return HookState(event, "foreign", False, note=note or f"is {known_as(hook.data)}")
    return HookState(event, "not installed", False, note=note)


def _configured(place: HookPlace, event: str) -> bool:
    key = f"hook.{hook_name(event)}.command"
    return place.git.has_config_hooks and key in place.git.ours()


def _by_config(place: HookPlace, event: str) -> HookState:
    script = place.open(place.git.scripts).read(event)
    if script is None:
        return HookState(event, "config", False, note="its script is gone from Git's directory")
    have, wanted = place.git.ours(), config_hooks()
    own = [key for key in wanted if key.startswith(f"hook.{hook_name(event)}.")]
    current = all(have.get(key) == wanted[key] for key in own)
    current = current and same_version(script.data, place.script(event))
    return HookState(event, "config" if current else "stale", True, note=_lost(script.data))


def _by_file(place: HookPlace, hook: HookFile, event: str) -> HookState:
    current = same_version(hook.data, place.script(event))
    first = first_of(hook.data)
    chained = known_as(stripped(hook.data)) if first == INSIDE else os.fsdecode(first)
    if not first and not is_empty(stripped(hook.data)):
        chained = "what others wrote below"
    state = HookState(event, "file" if current else "stale", True, chained, _lost(hook.data))
    if not hook.runs:
        return replace(state, reached=False, note="is not executable, so Git does not run it")
    if not leads(hook.data):
        return replace(state, reached=False, note="tt's lines are not the first in it")
    return state


def _lost(data: bytes) -> str:
    """Say where the `tt` that a hook was installed with is gone."""
    program = os.fsdecode(program_of(data))
    if not program or os.access(program, os.X_OK):
        return ""
    return f"{program} is gone; it looks for another tt"
