"""Merges that really happened, of two public projects' plans, through a real `git merge`.

They are not part of this repository: the tests run where they lie beside it. What comes out is
compared with an oracle that knows the rules and nothing of the code.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.driven import Driven
from tests.support.git_repos import git
from tests.support.merges import (
    conflict_names,
    lines_between_markers,
    merged,
    numbered_comments,
    stripped,
    tasks_of,
    verdict,
    wanted_comments,
)
from tt.core.three import Three

CORPUS = Path(__file__).resolve().parents[2] / "../shared/fixtures/merges"
CASES = sorted(CORPUS.glob("*/base.toml"))
pytestmark = pytest.mark.skipif(not CASES, reason="the corpus of merges is not here")
each_case = pytest.mark.parametrize("case", CASES, ids=lambda path: path.parent.name)


def versions(case: Path) -> Three[bytes]:
    names = Three("base", "ours", "theirs")
    return names.map(lambda name: case.with_name(f"{name}.toml").read_bytes())


def commented(data: Three[bytes]) -> Three[bytes]:
    """Put comments into a merge's files: some in all three, some in one side's only."""

    def put(text: str, letter: str, step: int) -> str:
        parts = text.split("\n[[tasks]]\n")
        for at in range(step, len(parts), step):
            parts[at] = (
                f"# {letter}{at}\n[[tasks]]\n{parts[at]}"
                if at % 2
                else f"[[tasks]]\n# {letter}{at}\n{parts[at]}"
            )
        return "\n".join(
            part if at == 0 or part.startswith(("#", "[[tasks]]")) else f"[[tasks]]\n{part}"
            for at, part in enumerate(parts)
        )

    ours, theirs = data.ours.decode(), data.theirs.decode()
    return Three(data.base, put(ours, "u", 7).encode(), put(theirs, "v", 5).encode())


@each_case
def test_a_real_merge_is_what_the_rules_say(case: Path, tmp_path: Path) -> None:
    data = versions(case)
    driven, said = Driven(tmp_path / "r"), verdict(data)
    driven.fork(*data)
    done = driven.git("merge", "--no-edit", "theirs")
    found = driven.file.read_bytes()
    assert done.code == (1 if said.conflicts else 0)
    if not said.conflicts:
        assert (driven.status(), done.err) == ("", "")
        assert tasks_of(found) == said.tasks
        return
    assert driven.staged() == ["1", "2", "3"]
    for side, own in (("ours", data.ours), ("theirs", data.theirs)):
        assert tasks_of(stripped(found, side)) == decided(said.tasks, said.conflicts, own)


def decided(
    tasks: dict[str, dict[str, object]], conflicts: set[tuple[str, str | None]], own: bytes
) -> dict[str, dict[str, object]]:
    """Return the plan with each conflict as one side has it."""
    made, side = {name: dict(fields) for name, fields in tasks.items()}, tasks_of(own)
    for identifier, name in conflicts:
        if identifier not in side:
            continue
        if name is None:
            made[identifier] = side[identifier]
        elif name in side[identifier]:
            made[identifier][name] = side[identifier][name]
    return made


@each_case
def test_conflicts_are_the_true_ones_and_swapped_sides_give_the_same_plan(case: Path) -> None:
    data = versions(case)
    one, other, said = merged(data), merged(data.swapped()), verdict(data)
    assert not one.why
    assert conflict_names(one) == conflict_names(other) == said.conflicts
    assert tasks_of(stripped(one.data, "ours")) == tasks_of(stripped(other.data, "theirs"))
    assert tasks_of(stripped(one.data, "theirs")) == tasks_of(stripped(other.data, "ours"))


@each_case
def test_only_the_lines_of_true_conflicts_are_between_markers(case: Path) -> None:
    data = versions(case)
    result = merged(data)
    whole = [stripped(each, "ours") for each in data[1:]]
    blocks = {block for each in whole for block in each.decode().split("\n[[tasks]]\n")}
    assert all(name is None for _, name in conflict_names(result))  # so it is in this corpus
    between = b"\n".join(lines_between_markers(result.data)).decode()
    found = [block for block in between.split("[[tasks]]\n") if block.strip()]
    assert len(found) == len(result.conflicts)
    assert all(any(block.strip() == known.strip() for known in blocks) for block in found)


@each_case
def test_comments_put_into_a_real_merge_are_all_kept(case: Path) -> None:
    data = commented(versions(case))
    result = merged(data)
    assert not result.why
    assert wanted_comments(data)
    assert wanted_comments(data) <= numbered_comments(result.data)
    assert conflict_names(result) == verdict(data).conflicts


def test_plain_merging_of_lines_fails_on_more_than_half_of_them(tmp_path: Path) -> None:
    failed = 0
    for case in CASES:
        driven = Driven(tmp_path / case.parent.name)
        driven.write(".gitattributes", "")
        git(driven.top, "add", ".")
        driven.fork(*versions(case))
        failed += driven.git("merge", "--no-edit", "theirs").code != 0
    assert failed * 2 > len(CASES)
