"""Installing our hooks and the merge driver beside whatever is there; twice is once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

from tt.app.acts import Act, act, carry_out
from tt.app.chaining import Chain, put_in, take_out, take_out_copies
from tt.app.hookplace import HookPlace
from tt.app.mergedriver import put_attribute, put_driver, take_attribute, take_driver
from tt.core.attributes import DRIVER
from tt.core.githooks import Installation, Scope, config_hooks, hook_name
from tt.core.shim import EVENTS, filled
from tt.errors import TTError

_OWN: Final = ("repository", "worktree")
"""Directories of hooks in which nobody else's hooks can be meant."""


def install(place: HookPlace, *, dry_run: bool = False, as_files: bool = False) -> Installation:
    """Let Git run our hooks, and merge the plan with our driver.

    In Git's configuration where Git runs hooks from there, unless `as_files`; else in the files
    that Git looks for. Raises TTError where neither can be.
    """
    directory, scope = place.git.directory()
    by_config = place.git.has_config_hooks and not as_files
    if by_config:
        acts = [*_in_config(place), *(_out_of_files(place, scope))]
    else:
        acts = [*_in_files(place, scope), *(_out_of_config(place) if as_files else ())]
    acts += [put_driver(place), put_attribute(place)]
    notes = [] if by_config else _of_directory(str(directory), scope)
    if not dry_run:
        carry_out(acts)
        notes += _still_otherwise(place)
    return _told(place, acts, notes, dry_run=dry_run)


def uninstall(place: HookPlace, *, dry_run: bool = False) -> Installation:
    """Take everything of ours out again, and give back what was there, to the byte."""
    directory, scope = place.git.directory()
    acts: list[Act] = []
    for each in dict.fromkeys((directory, place.git.default_directory)):
        if each == directory and scope == "none":
            continue
        files = place.open(each)
        for event in EVENTS:
            found = take_out(files, event)
            acts += [*([found] if found else []), *take_out_copies(files, event)]
    acts += _out_of_config(place)
    driver = take_driver(place)
    acts += [*([driver] if driver else []), *take_attribute(place)]
    if not dry_run:
        carry_out(acts)
    notes = _of_directory(str(directory), scope) if any(a.step.file in EVENTS for a in acts) else []
    return _told(place, acts, notes, dry_run=dry_run)


def _told(place: HookPlace, acts: list[Act], notes: list[str], *, dry_run: bool) -> Installation:
    said = dict.fromkeys([*(each.note for each in acts if each.note), *notes])
    steps = tuple(each.step for each in acts)
    return Installation(place.git.directory()[0], steps, tuple(said), dry_run)


def _in_files(place: HookPlace, scope: Scope) -> Iterator[Act]:
    directory, _ = place.git.directory()
    if scope == "none":
        raise TTError(
            f"Git's hooks are switched off here: core.hooksPath is {directory}.",
            "`git config --show-origin core.hooksPath` says where that is set.",
        )
    files = place.open(directory)
    # A path of this machine has no place in a file that others get by Git.
    program = b"" if scope == "tracked" else os.fsencode(place.program)
    for event in EVENTS:
        yield put_in(Chain(files, place.script, program), event)
        yield from take_out_copies(files, event)


def _out_of_files(place: HookPlace, scope: Scope) -> Iterator[Act]:
    """Take our lines out of files that only this repository uses: its configuration has them."""
    if scope in _OWN:
        files = place.open(place.git.directory()[0])
        for event in EVENTS:
            found = take_out(files, event)
            yield from [found] if found else []
            yield from take_out_copies(files, event)


def _in_config(place: HookPlace) -> Iterator[Act]:
    have, wanted = place.git.ours(), config_hooks()
    scripts = place.open(place.git.scripts)
    for event in EVENTS:
        data = filled(place.script(event), os.fsencode(place.program), b"")
        prefix = f"hook.{hook_name(event)}."
        missing = {k: v for k, v in wanted.items() if k.startswith(prefix) and have.get(k) != v}
        hook = scripts.read(event)
        if not missing and hook is not None and hook.data == data:
            yield act(event, "kept", "is in Git's configuration")
            continue

        def write(event: str = event, data: bytes = data, keys: dict[str, str] = missing) -> None:
            scripts.write(event, data)
            for key, value in keys.items():
                place.git.put(key, value)

        made = hook is None and len(missing) == 2
        yield act(event, "made" if made else "changed", "in Git's configuration", write)


def _out_of_config(place: HookPlace) -> Iterator[Act]:
    have, scripts = place.git.ours(), place.open(place.git.scripts)
    for event in EVENTS:
        keys = [key for key in have if key.startswith(f"hook.{hook_name(event)}.")]
        there = scripts.read(event) is not None
        if not keys and not there:
            continue

        def remove(event: str = event, keys: list[str] = keys, there: bool = there) -> None:
            for key in keys:
                place.git.unset(key)
            if there:
                scripts.remove(event)
            scripts.leave()

        yield act(event, "removed", "from Git's configuration", remove)


def _of_directory(directory: str, scope: Scope) -> list[str]:
    if scope == "tracked":
        return [f"Git tracks {directory}: commit the change, and everyone who uses it has it."]
    if scope == "shared":
        return [f"All repositories use {directory} (core.hooksPath), so this is for each of them."]
    return []


def _still_otherwise(place: HookPlace) -> list[str]:
    found = place.git.merge_attribute(place.plan)
    if found == DRIVER:
        return []
    why = "what .git/info/attributes or a .gitattributes beside it says is stronger"
    return [f"{place.plan} is still merged by `{found}`: {why}."]
