"""The proof of a merged text by parts: it lets through what is right, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given

from tests.support.merges import human_merges, merged
from tt.adapters import merge_files, merge_proof
from tt.adapters.merge_blocks import Style
from tt.adapters.merge_files import tree_in
from tt.adapters.merge_proof import Claim, proved, proved_by_parts
from tt.adapters.merge_text import Part, Version, merged_parts
from tt.core.three import Three
from tt.core.treemerge import Tree, merge_trees

A = '[[tasks]]\nid = "a"\ndescription = "A"\nagent = "dev"\n'
B = '\n[[tasks]]\nid = "b"\ndescription = "B"  # b\n'
C = '\n[[tasks]]\nid = "c"\ndescription = "C"\n'
BASE = f'[meta]\ndescription = "p"\n\n{A}{B}{C}'
OURS = BASE.replace('"dev"', '"ops"').replace('"B"', '"B!"')
THEIRS = BASE.replace('"A"', '"A!"').replace('"C"', '"C!"')


def made(*texts: str) -> tuple[list[Part], Claim]:
    """Merge three texts into parts, and return these with what is to be proved of them."""
    trees = [tree_in(text) or Tree() for text in texts]
    outcome = merge_trees(*trees)
    versions = Three(
        *(Version(t, tree, [*tree.tasks]) for t, tree in zip(texts, trees, strict=True))
    )
    parts = merged_parts(versions, outcome, Style("\n", 7))
    return parts, Claim(Three(*texts), Three(*trees), outcome, tree_in)


def text_of(parts: Sequence[Part]) -> str:
    return "".join(part.text for part in parts)


@pytest.mark.parametrize(
    "theirs", [THEIRS, THEIRS.replace('"dev"', '"qa"')], ids=["clean", "conflict"]
)
def test_what_is_right_is_proved_either_way(theirs: str) -> None:
    parts, claim = made(BASE, OURS, theirs)
    assert {part.copied for part in parts} == {None, 1, 2}
    assert proved_by_parts(parts, claim)
    assert proved(text_of(parts), claim)


def wrong(parts: Sequence[Part], how: str) -> list[Part]:
    """Do something to a merge that must not get through."""
    found = {part.key[1]: part for part in parts}
    if how == "the other side's unit":
        return [p if p is not found["c"] else Part(p.key, C, 1) for p in parts]
    if how == "a unit less":
        return [p for p in parts if p is not found["b"]]
    if how == "a unit twice":
        return [*parts, found["b"]._replace(copied=None)]
    if how == "a field of what was merged":
        return [p._replace(text=p.text.replace('"A!"', '"A?"')) for p in parts]
    if how == "no TOML":
        return [p._replace(text=p.text.replace('"A!"', '"A!')) for p in parts]
    if how == "a table beside the tasks":
        return [p._replace(text=p.text.replace('"p"', '"q"')) for p in parts]
    assert how == "a comment less"
    return [p._replace(text=p.text.replace("  # b", "")) for p in parts]


HOW = [
    "the other side's unit", "a unit less", "a unit twice", "a field of what was merged", "no TOML",
    "a table beside the tasks", "a comment less",
]  # fmt: skip


@pytest.mark.parametrize("how", HOW)
def test_what_is_wrong_is_not_proved(how: str) -> None:
    parts, claim = made(BASE, OURS, THEIRS)
    spoiled = wrong(parts, how)
    assert text_of(spoiled) != text_of(parts)
    assert not proved_by_parts(spoiled, claim)
    assert not proved(text_of(spoiled), claim)


@pytest.mark.parametrize("side", ["qa", "ops"])
def test_each_side_of_a_conflict_is_proved(side: str) -> None:
    parts, claim = made(BASE, OURS, THEIRS.replace('"dev"', '"qa"'))
    spoiled = [p._replace(text=p.text.replace(f'"{side}"', '"no"')) for p in parts]
    assert not proved_by_parts(spoiled, claim)
    assert not proved(text_of(spoiled), claim)


@given(human_merges())
def test_plans_as_people_write_them_merge_alike_with_either_proof(data: Three[bytes]) -> None:
    whole = merged(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merge_proof, "WHOLE_CHARS", 0)
        patch.setattr(merge_files, "_is_plain", lambda _: True)
        assert merged(data) == whole


def test_a_long_plan_is_proved_by_parts_and_a_short_one_as_a_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []

    def by_parts(parts: Sequence[Part], claim: Claim) -> bool:
        asked.append(len(parts))
        return proved_by_parts(parts, claim)

    monkeypatch.setattr(merge_files, "proved_by_parts", by_parts)
    merged(Three(BASE, OURS, THEIRS).map(str.encode))
    assert not asked
    new = "".join(f'\n[[tasks]]\nid = "n{n}"\ndescription = "{"x" * 90}"\n' for n in range(600))
    ours, theirs = OURS + C.replace('"c"', '"d"'), THEIRS + C.replace('"c"', '"e"')
    data = Three(BASE + new, ours + new, theirs + new).map(str.encode)
    assert merged(data).is_clean
    assert asked
    asked.clear()
    odd = "\nnotes = '''\n[[tasks]]\n'''\n"
    assert merged(data.map(lambda text: text + odd.encode())).is_clean
    assert not asked
