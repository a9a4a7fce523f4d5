"""The lines of ours in a hook: what goes into which file, and how it comes out again to the byte.

Each of the files in `hooks/` is a script of its own and holds one marked block. Where Git has a
shell script already, the block goes into that, right below its first line; any other hook is put
beside, and the block's `tt_first=` says where, so that it runs first.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

from tt.record import record

EVENTS: Final = (
    "pre-commit", "post-commit", "post-merge", "post-checkout", "post-rewrite", "pre-push",
)  # fmt: skip
"""The hooks that `tt` has, by Git's names for them."""

INSIDE: Final = b"$0"
"""`tt_first=` of a block that runs the rest of its own file first."""

BESIDE: Final = ".before-tt"
"""What a hook that was put beside is called after its event; also a directory, see `beside`."""

_HERE: Final = b'"${0%/*}/"'
_BLOCK: Final = re.compile(
    rb"# >>> tt hooks >>>.*?^# <<< tt hooks <<<(?:\n|\Z)", re.DOTALL | re.MULTILINE
)
_MARK: Final = re.compile(rb"^# (?:>>>|<<<) tt hooks (?:>>>|<<<)", re.MULTILINE)
_PROGRAM: Final = re.compile(rb"^tt_path=(.*)$", re.MULTILINE)
_FIRST: Final = re.compile(rb"^tt_first=(.*)$", re.MULTILINE)
_SHELL: Final = re.compile(
    rb"#![ \t]*(?:\S*/)?(?:env[ \t]+(?:-S[ \t]*)?(?:\S*/)?)?(?:ba|da|z|k|mk|a)?sh"
    rb"(?:[ \t][^\r\n]*)?(?:\n|\Z)"
)
_READS_ITSELF: Final = re.compile(
    rb"""\b(?:exec|eval|tail|sed)\b[^\n]*[ \t]["']?\$\{?0\}?["']?(?:[ \t;|]|$)""", re.MULTILINE
)
_LOOKS_AT_PLACE: Final = re.compile(rb"""dirname|\.parent\b|["']\.\.?/""")
_LOOKS_AT_NAME: Final = re.compile(rb"basename|\$0\b|argv\[[01]\]|PROGRAM_NAME|__file__|__filename")
_MANAGERS: Final = {
    b"pre-commit.com": "the pre-commit framework",
    b"prek": "prek",
    b"LEFTHOOK": "lefthook",
    b')/h"': "husky",
    b'*}/h"': "husky",
    b"overcommit": "overcommit",
    b"git lfs": "Git LFS",
    b"git-lfs": "Git LFS",
}


class Way(Enum):
    """How our lines get where Git looks for a hook."""

    NEW = "new"
    INSIDE = "inside"
    BESIDE = "beside"


@record
class HookFile:
    """A hook as it is on the disk: `runs` says that Git would run it, `link` where it points."""

    data: bytes
    runs: bool
    link: str | None = None


def way(hook: HookFile | None) -> Way:
    """Choose the way into a hook that has nothing of ours.

    A hook that Git does not run, since it is not executable, must not begin to run with ours in it.
    """
    if hook is None:
        return Way.NEW
    if hook.link is None and hook.runs and _is_shell(hook.data):
        return Way.INSIDE
    return Way.BESIDE


def _is_shell(data: bytes) -> bool:
    """Say whether a shell reads all of it; one that hands itself to another program is not ours."""
    if _READS_ITSELF.search(data):
        return False
    if data.startswith(b"#!"):
        return _SHELL.match(data) is not None
    return b"\0" not in data and not data.startswith(b"\xef\xbb\xbf")


def beside(event: str, hook: HookFile) -> str:
    """Return the name, below the hooks' directory, under which a hook is put beside.

    One that seems to look at its own name keeps that, in a directory; others keep their place.
    """
    named = _LOOKS_AT_NAME.search(hook.data) and not _LOOKS_AT_PLACE.search(hook.data)
    if hook.link is not None or b"\0" in hook.data or named:
        return f"{BESIDE.removeprefix('.')}/{event}"
    return event + BESIDE


def filled(script: bytes, program: bytes, first: bytes) -> bytes:
    """Return one of our scripts with what is known here: where `tt` is, and what runs first.

    `first` is `INSIDE`, empty, or a name below the hooks' directory.
    """
    what = b'"$0"' if first == INSIDE else _HERE + _word(first) if first else b""
    script = _PROGRAM.sub(lambda _: b"tt_path=" + _word(program), script, count=1)
    return _FIRST.sub(lambda _: b"tt_first=" + what, script, count=1)


def _word(text: bytes) -> bytes:
    """Return `text` as a word of shell, whatever is in it."""
    return b"'" + text.replace(b"'", b"'\\''") + b"'" if text else b""


def program_of(data: bytes) -> bytes:
    """Return the path of `tt` that a block has, empty where it has none."""
    found = _PROGRAM.search(_block(data))
    return _unquoted(found[1]) if found else b""


def first_of(data: bytes) -> bytes:
    """Return what a block runs first, as `filled` takes it."""
    found = _FIRST.search(_block(data))
    if not found or not found[1]:
        return b""
    return INSIDE if found[1] == b'"$0"' else _unquoted(found[1].removeprefix(_HERE))


def _unquoted(word: bytes) -> bytes:
    return word[1:-1].replace(b"'\\''", b"'")


def has_block(data: bytes) -> bool:
    """Say whether there is something of ours in it."""
    return _MARK.search(data) is not None


def is_damaged(data: bytes) -> bool:
    """Say whether a block of ours was cut, so that nobody can tell where it ends."""
    return _MARK.search(_BLOCK.sub(b"", data)) is not None


def leads(data: bytes) -> bool:
    """Say whether our block is the first that a shell comes to, so that nothing runs before it."""
    head, _ = _split(data)
    return _BLOCK.match(data, len(head)) is not None


def _block(data: bytes) -> bytes:
    found = _BLOCK.search(data)
    return found[0] if found else b""


def same_version(data: bytes, script: bytes) -> bool:
    """Say whether the block is that of `script`, apart from what is filled in."""
    return filled(_block(data), b"", b"") == filled(_block(script), b"", b"")


def inserted(data: bytes, script: bytes) -> bytes:
    """Return a shell script with the block of a filled script below its first line."""
    head, rest = _split(data)
    block = _block(script)
    if head and not head.endswith(b"\n"):  # nothing but a first line that does not end
        return head + b"\n" + block.removesuffix(b"\n")
    return head + block + rest


def stripped(data: bytes) -> bytes:
    """Return a script without our blocks, which is what it was before `inserted`."""
    found = _BLOCK.search(data)
    while found is not None:
        start = found.start()
        unended = not found[0].endswith(b"\n") and data[:start].endswith(b"\n")
        data = data[: start - unended] + data[found.end() :]
        found = _BLOCK.search(data)
    return data


def is_empty(data: bytes) -> bool:
    """Say whether a script does nothing: there is at most its first line."""
    return not _split(data)[1].strip()


def _split(data: bytes) -> tuple[bytes, bytes]:
    """Return the line that names the interpreter, and what is below it."""
    if not data.startswith(b"#!"):
        return b"", data
    end = data.find(b"\n") + 1
    return (data[:end], data[end:]) if end else (data, b"")


def known_as(data: bytes) -> str:
    """Return whose hook this is, as a person calls it."""
    return next((name for sign, name in _MANAGERS.items() if sign in data), "a script of yours")
