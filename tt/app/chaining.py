"""One hook in a directory of hooks: putting our lines in, and taking them out again."""

from __future__ import annotations

from collections.abc import Callable

from tt.app.acts import Act, act
from tt.app.hookplace import HookDirectory
from tt.core.shim import (
    INSIDE,
    HookFile,
    Way,
    beside,
    filled,
    first_of,
    has_block,
    inserted,
    is_damaged,
    is_empty,
    known_as,
    stripped,
    way,
)
from tt.errors import TTError
from tt.record import record

_COPIES = (".legacy", ".old")
"""What other tools call a hook that they found and go on running."""


@record
class Chain:
    """The directory, our scripts by event, and the path of `tt` that they get."""

    files: HookDirectory
    script: Callable[[str], bytes]
    program: bytes


def put_in(chain: Chain, event: str) -> Act:
    """Put our lines where Git looks for a hook, whatever is there; what is there runs first."""
    hook = chain.files.read(event)
    if hook is None:
        return act(event, "made", "a hook of its own", lambda: _write(chain, event, b""))
    if has_block(hook.data):
        return _renewed(chain, event, hook)
    if way(hook) is Way.INSIDE:
        data = inserted(hook.data, filled(chain.script(event), chain.program, INSIDE))
        what = f"runs after what is in it ({known_as(hook.data)})"
        note = _anew(known_as(hook.data))
        return act(event, "changed", what, lambda: chain.files.overwrite(event, data), note)
    name = chain.files.free(beside(event, hook))
    what = f"what was here is {name} now, and runs first"
    if not hook.runs:
        what = f"what was here is {name} now; it is not executable, so Git never ran it"
    return act(event, "made", what, lambda: _put_beside(chain, event, name))


def _write(chain: Chain, event: str, first: bytes) -> None:
    chain.files.write(event, filled(chain.script(event), chain.program, first))


def _put_beside(chain: Chain, event: str, name: str) -> None:
    chain.files.put_beside(event, name)
    try:
        _write(chain, event, name.encode())
    except TTError:
        chain.files.put_back(name, event)
        raise


def _renewed(chain: Chain, event: str, hook: HookFile) -> Act:
    """Replace our lines by those of this version, in their place."""
    if hook.link is not None:
        return act(event, "kept", f"it leads to {hook.link}, which has tt's lines")
    if is_damaged(hook.data):
        raise TTError(
            f"The hook {event} has a part of tt's lines, and nobody can tell where they end.",
            "Take what is left of `# >>> tt hooks >>>` out by hand, and run this again.",
        )
    rest, first = stripped(hook.data), first_of(hook.data)
    data = inserted(rest, filled(chain.script(event), chain.program, first))
    ours = first != INSIDE and is_empty(rest)
    if data == hook.data and (hook.runs or not ours):
        return act(event, "kept", "is up to date")
    write = chain.files.write if ours else chain.files.overwrite
    return act(event, "changed", "is up to date again", lambda: write(event, data))


def _anew(manager: str) -> str:
    if manager not in ("husky", "lefthook", "prek", "the pre-commit framework"):
        return ""
    return f"When {manager} writes its hooks anew, run `tt hooks install` again."


def take_out(files: HookDirectory, name: str) -> Act | None:
    """Give back what was there before our lines; None where there is nothing of ours."""
    hook = files.read(name)
    if hook is None or hook.link is not None or not has_block(hook.data):
        return _orphan(files, name, hook)
    if is_damaged(hook.data):
        return act(name, "kept", "it has a part of tt's lines: take them out by hand")
    rest, first = stripped(hook.data), first_of(hook.data)
    if first == INSIDE or not is_empty(rest):
        what = "is what it was" if first == INSIDE else "keeps what others wrote into it"
        return act(name, "changed", what, lambda: files.overwrite(name, rest))
    before = first.decode()
    if not before or files.read(before) is None:
        return act(name, "removed", "was tt's alone", lambda: files.remove(name))

    def give_back() -> None:
        files.remove(name)
        files.put_back(before, name)

    return act(name, "changed", f"is what it was, no longer {before}", give_back)


def _orphan(files: HookDirectory, name: str, hook: HookFile | None) -> Act | None:
    """Give back a hook that was put beside for one of ours that somebody has removed since."""
    before = next((n for n in (f"{name}.before-tt", f"before-tt/{name}") if files.read(n)), None)
    if before is None:
        return None
    if hook is None:
        what = f"is what it was, no longer {before}"
        return act(name, "made", what, lambda: files.put_back(before, name))
    return act(name, "kept", f"is another's; what was here before tt is {before}")


def take_out_copies(files: HookDirectory, event: str) -> list[Act]:
    """Take our lines out of the copies that other tools made of a hook that had them."""
    copies = (event + suffix for suffix in _COPIES)
    return [found for found in (take_out(files, copy) for copy in copies) if found is not None]
