"""Merges of plan files for tests: real ones of lines, an oracle of the field rules, and odd sides.

The oracle knows nothing of how the merge works. It reads parsed TOML and says, from the rules as
they are written down, what each field of the outcome must be, and which fields are conflicts.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import tomli
from hypothesis import strategies as st

from tests.support.toml_files import changes_to, plan_files
from tt.adapters.merge_files import merge_files
from tt.adapters.merge_lines import MergingLines
from tt.adapters.planfile import read_plan
from tt.adapters.toml_edit import edit_plan
from tt.core.markers import DEFAULT_SIZE
from tt.core.merged import LineMerge, MergedFile
from tt.core.three import Three

NONE = object()
"""What a field that is not there is to the oracle."""

_STEPS = {"pending": 0, "assigned": 1, "running": 2, "completed": 3, "failed": 3, "cancelled": 3}
_COMMENT = re.compile(r"# [a-z]\d+\b")


def line_merge(data: Three[bytes], size: int = DEFAULT_SIZE) -> LineMerge:
    """Merge the lines of three files with Git."""
    with TemporaryDirectory(prefix="tt-merge-") as name:
        files = Three(*(Path(name) / kind for kind in ("base", "ours", "theirs")))
        for path, content in zip(files, data, strict=True):
            path.write_bytes(content)
        with MergingLines(files.map(str), size) as lines:
            return lines.result()


def merged(data: Three[bytes], size: int = DEFAULT_SIZE) -> MergedFile:
    """Merge three files as the driver does."""
    return merge_files(data, size, lambda: line_merge(data, size))


def merged_text(base: str, ours: str, theirs: str) -> MergedFile:
    """Merge three texts as the driver does."""
    return merged(Three(base.encode(), ours.encode(), theirs.encode()))


class Verdict(NamedTuple):
    """What the oracle says: tasks by id, and the conflicts as (id, field or None)."""

    tasks: dict[str, dict[str, Any]]
    conflicts: set[tuple[str, str | None]]


def verdict(data: Three[bytes]) -> Verdict:
    """Merge parsed plans, whose tasks all have ids, by the rules of docs/merging.md."""
    base, ours, theirs = (_by_id(content) for content in data)
    said = Verdict({}, set())
    for identifier in {**ours, **theirs}:
        old, mine, other = (plan.get(identifier) for plan in (base, ours, theirs))
        if mine is None or other is None:
            left = mine if mine is not None else other
            if old is None:
                said.tasks[identifier] = left or {}
            elif left != old:
                said.conflicts.add((identifier, None))
            continue
        said.tasks[identifier] = made = {}
        for name in {**mine, **other}:
            value = _field(
                name, (old or {}).get(name, NONE), mine.get(name, NONE), other.get(name, NONE)
            )
            if value is None:
                said.conflicts.add((identifier, name))
            elif value is not NONE:
                made[name] = value
    return said


def _by_id(data: bytes) -> dict[str, dict[str, Any]]:
    text = data.decode().removeprefix("\ufeff")
    found = {}
    for raw in tomli.loads(text).get("tasks", []):
        task = {"status": "pending", **raw}
        for name in ("agent", "parent", "tags", "depends_on"):
            if not task.get(name, True):
                del task[name]
        found[task.pop("id")] = task
    return found


def _field(name: str, base: Any, ours: Any, theirs: Any) -> Any:
    """Return a field's value, NONE where it is gone, None for a conflict."""
    if ours == theirs or theirs == base:
        return ours
    if ours == base:
        return theirs
    if name == "status":
        if _STEPS[ours] == _STEPS[theirs]:
            return None
        return ours if _STEPS[ours] > _STEPS[theirs] else theirs
    lists = [[] if value is NONE else value for value in (base, ours, theirs)]
    if all(isinstance(value, list) and {*map(type, value)} <= {str} for value in lists):
        old, mine, other = map(set, lists)
        kept = (mine & other) | (mine - old) | (other - old)
        return [item for item in lists[0] if item in kept] + sorted(kept - old) or NONE
    if all(isinstance(value, dict) for value in (base, ours, theirs)):
        made = {}
        for key in {**ours, **theirs}:
            value = _field("", base.get(key, NONE), ours.get(key, NONE), theirs.get(key, NONE))
            if value is None:
                return None
            if value is not NONE:
                made[key] = value
        return made
    return None


def numbered_comments(data: bytes) -> set[str]:
    """Return the comments of a file that tests have put there."""
    return {*_COMMENT.findall(data.decode())}


def wanted_comments(data: Three[bytes]) -> set[str]:
    """Return the comments that an outcome must have: added by a side, or standing on both."""
    base, ours, theirs = data.map(numbered_comments)
    return (ours & theirs) | (ours - base) | (theirs - base)


@st.composite
def odd_merges(draw: st.DrawFn) -> Three[bytes]:
    """Draw an odd plan file and two descendants of it, with edits and comments of their own."""
    base = draw(plan_files())
    before = read_plan(base, "f")
    sides = []
    for letter in "uv":
        edited = edit_plan(base, before, draw(changes_to(before.plan)))
        sides.append(_commented(edited, letter, Random(draw(st.integers(0, 2**16)))))
    return Three(base, *sides)


def _commented(data: bytes, letter: str, random: Random) -> bytes:
    """Add and remove whole comment lines wherever that leaves the document as it is."""
    for number in range(random.randrange(3)):
        lines = data.split(b"\n")
        at = random.randrange(len(lines))
        if random.random() < 0.7:
            made = [*lines[:at], f"# {letter}{number}".encode(), *lines[at:]]
        elif lines[at].lstrip().startswith(b"#"):
            made = [*lines[:at], *lines[at + 1 :]]
        else:
            continue
        if _document(b"\n".join(made)) == _document(data):
            data = b"\n".join(made)
    return data


def _document(data: bytes) -> object:
    try:
        return repr(tomli.loads(data.decode().removeprefix("\ufeff")))
    except ValueError:
        return None


def human_plan(random: Random, size: int, letter: str = "c") -> str:
    """Write a plan as people do, with comments above, beside and between tasks."""
    count = iter(range(10_000))

    def comment() -> str:
        return f"# {letter}{next(count)}"

    parts = [f'{comment()}\n\n[meta]\ndescription = "plan"  {comment()}\ndefault_agent = "dev"\n']
    for number in range(size):
        lines = [comment()] if random.random() < 0.4 else []
        if random.random() < 0.2:
            lines = [comment(), "", *lines]
        lines += ["[[tasks]]", f'id = "t{number}"', f'description = "Task {number}"']
        if random.random() < 0.3:
            lines.append(f"{comment()}")
        lines.append(f'agent = "{random.choice(["dev", "ops"])}"')
        lines.append(f'status = "pending"{"  " + comment() if random.random() < 0.3 else ""}')
        if random.random() < 0.5:
            lines.append('tags = ["x", "y"]')
        if random.random() < 0.3:
            lines += ["tags_of_mine = [", f'  "one",  {comment()}', '  "two",', "]"]
        if random.random() < 0.3:
            lines += ['notes = """', "several", "lines # here", '"""']
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def human_edits(text: str, random: Random, letter: str) -> str:
    """Edit a plan's text as people do: values, lines, comments, whole tasks."""
    blocks = re.split(r"(?m)^(?=\[\[tasks\]\])", text)
    for number in range(random.randint(1, 4)):
        at = random.randrange(1, len(blocks))
        blocks[at] = _edited_block(blocks[at], random, f"{letter}{number}")
    if random.random() < 0.4 and len(blocks) > 2:
        del blocks[random.randrange(1, len(blocks))]
    if random.random() < 0.5:
        at = random.randrange(1, len(blocks) + 1)
        blocks.insert(at, f'[[tasks]]\nid = "{letter}new"\ndescription = "New"  # {letter}90\n\n')
    return "".join(blocks)


def _edited_block(block: str, random: Random, name: str) -> str:
    pick = random.randrange(8)
    if pick == 0:
        return re.sub(r'agent = "\w+"', f'agent = "{random.choice(["dev", "ops", "qa"])}"', block)
    if pick == 1:
        return re.sub(r'status = "\w+"', f'status = "{random.choice([*_STEPS])}"', block)
    if pick == 2:
        return block.replace('tags = ["x", ', f'tags = ["{random.choice("abc")}", "x", ')
    if pick == 3:
        return block.replace("]]\n", f"]]  # {name}\n", 1)
    if pick == 4 and "priority" not in block:
        return re.sub(r"(?m)^(status.*)$", rf"\1\npriority = {random.randrange(3)}", block, count=1)
    if pick == 5:
        return re.sub(r"(?m)^(agent.*)$", rf"# {name}\n\1", block, count=1)
    if pick == 6:
        return re.sub(r"(?m)^# \w+\n", "", block, count=1)
    return block.replace("several\n", f"several {name}\n").replace(
        '"two",', f'"two", # {name}\n  "{name}",'
    )


@st.composite
def human_merges(draw: st.DrawFn) -> Three[bytes]:
    """Draw a plan as people write it and two descendants that people made of it."""
    random = Random(draw(st.integers(0, 2**32)))
    base = human_plan(random, draw(st.integers(1, 6)))
    sides = [
        human_edits(base, random, letter) if draw(st.integers(0, 9)) else base for letter in "uv"
    ]
    return Three(base, *sides).map(str.encode)


def stripped(data: bytes, side: str) -> bytes:
    """Take one side of each conflict, as a person would by hand; knows nothing of our reader."""
    out: list[bytes] = []
    where = ""
    for line in data.removeprefix(BOM_UTF8).splitlines(keepends=True):
        if line.startswith(b"<<<<<<< "):
            where = "ours"
        elif where and line.rstrip() == b"=======":
            where = "theirs"
        elif where and line.startswith(b">>>>>>> "):
            where = ""
        elif where in ("", side):
            out.append(line)
    return b"".join(out)


def tasks_of(data: bytes) -> dict[str, dict[str, Any]]:
    """Return a valid file's tasks by id, in canonical form; ids that are there twice fail."""
    tasks = tomli.loads(data.decode().removeprefix("\ufeff")).get("tasks", [])
    found = _by_id(data)
    assert len(found) == len(tasks)
    return found


def conflict_names(result: MergedFile) -> set[tuple[str, str | None]]:
    """Return what is in conflict, without the values."""
    return {(conflict.id, conflict.field) for conflict in result.conflicts}


def lines_between_markers(data: bytes) -> Iterator[bytes]:
    """Yield the lines that are between conflict markers."""
    inside = False
    for line in data.splitlines():
        if line.startswith((b"<<<<<<< ", b">>>>>>> ")):
            inside = line.startswith(b"<")
        elif inside and line != b"=======":
            yield line
