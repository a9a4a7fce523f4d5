"""Merging three versions of one file by table, task and field, as a merge in Git needs it.

The rules are those of reconciling (docs/design.md, section 4), with two differences. A version that
lacks a task says that it was removed: Git's versions lose nothing by accident. And the outcome is
one file, so a conflict stands in it with both of its sides. Swapping ours and theirs swaps the
sides of each conflict, and changes nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from tt.core.diff import with_field
from tt.core.graph import Fault, faults, why
from tt.core.merge import CLASH, Merged, merge3, merge_status
from tt.core.model import EMPTY, META_ID, Plan, Task
from tt.core.values import ABSENT, UNDECIDED, MaybeValue, Value
from tt.record import field, record

TOP_ID: Final = "[]"
"""The id of what stands in a file before its first table."""

Fields: TypeAlias = Mapping[str, Value]


@record
class Tree:
    """One version of a file: its tables by `[name]`, those beside the plan too, and its tasks."""

    tables: Mapping[str, Fields] = field(default_factory=dict)
    tasks: Mapping[str, Task] = field(default_factory=dict)

    @property
    def plan(self) -> Plan:
        """The plan in it."""
        return Plan(self.tables.get(META_ID, EMPTY), self.tasks)


@record
class MergeConflict:
    """Both sides changed a field to different values, and no rule decides.

    `id` is a task's, or a table's such as META_ID. `field` is None where one side removed the task
    and the other changed it: then the values are ABSENT and a description. `why` is set where the
    values are fine and the merged plan would not be.
    """

    id: str
    field: str | None
    base: MaybeValue = ABSENT
    ours: MaybeValue = ABSENT
    theirs: MaybeValue = ABSENT
    why: str = ""


@record
class MergedTree:
    """The outcome twice, conflicts as ours has them and as theirs has them; else they are equal."""

    ours: Tree
    theirs: Tree
    conflicts: tuple[MergeConflict, ...] = ()


def agreed(one: Tree, other: Tree) -> Tree:
    """Return what two readings of a base with conflict markers agree on; the rest is undecided."""
    tables = {name: _agreed(*_pair(one.tables, other.tables, name)) for name in _ids(one, other)[0]}
    tasks = {}
    for identifier in _ids(one, other)[1]:
        first, second = _both(one, other, identifier)
        tasks[identifier] = Task(identifier, _agreed(_fields(first), _fields(second)))
    return Tree(tables, tasks)


def merge_trees(base: Tree, ours: Tree, theirs: Tree) -> MergedTree:
    """Merge two descendants of `base`; faults that neither of them has become conflicts."""
    merge = _Merge(base, ours, theirs)
    tables, tasks = _ids(ours, theirs)
    for name in tables:
        before = base.tables.get(name, EMPTY)
        sides = _pair(ours.tables, theirs.tables, name)
        merge.tables[name] = merge.fields(name, before, *sides)
    for identifier in tasks:
        merge.task(identifier)
    merge.hold_back()
    return merge.result()


def _ids(one: Tree, other: Tree) -> tuple[list[str], list[str]]:
    """List the ids of the tables and tasks that either has."""
    return [*{**one.tables, **other.tables}], [*{**one.tasks, **other.tasks}]


def _pair(
    ours: Mapping[str, Fields], theirs: Mapping[str, Fields], name: str
) -> tuple[Fields, Fields]:
    return ours.get(name, EMPTY), theirs.get(name, EMPTY)


def _both(ours: Tree, theirs: Tree, identifier: str) -> tuple[Task | None, Task | None]:
    return ours.tasks.get(identifier), theirs.tasks.get(identifier)


def _fields(task: Task | None) -> Fields:
    return EMPTY if task is None else task.fields


def _agreed(one: Fields, other: Fields) -> dict[str, Value]:
    return {
        name: value if other.get(name, ABSENT) == value else UNDECIDED
        for name, value in {**other, **one}.items()
    }


_Sides: TypeAlias = tuple[Fields | None, Fields | None]
"""One table or task as the outcome has it, with conflicts as ours and as theirs have them."""


class _Merge:
    """One merge in the making; `tables` and `tasks` fill up with what comes out of it."""

    __slots__ = ("base", "conflicts", "ours", "tables", "tasks", "theirs")

    def __init__(self, base: Tree, ours: Tree, theirs: Tree) -> None:
        self.base, self.ours, self.theirs = base, ours, theirs
        self.tables: dict[str, _Sides] = {}
        self.tasks: dict[str, _Sides] = {}
        self.conflicts: dict[tuple[str, str | None], MergeConflict] = {}

    def task(self, identifier: str) -> None:
        ours, theirs = _both(self.ours, self.theirs, identifier)
        base = self.base.tasks.get(identifier)
        if ours is not None and theirs is not None:
            self.tasks[identifier] = self.fields(
                identifier, _fields(base), ours.fields, theirs.fields
            )
        elif base is None:  # one side added it
            added = _fields(ours or theirs)
            self.tasks[identifier] = added, added
        elif _fields(ours or theirs) != base.fields:
            self._presence(identifier, base)

    def fields(self, identifier: str, base: Fields, ours: Fields, theirs: Fields) -> _Sides:
        """Merge the fields of one task or table that both sides have, or may have."""
        if theirs in (ours, base):
            return ours, ours
        if ours == base:
            return theirs, theirs
        sides: tuple[dict[str, Value], dict[str, Value]] = ({}, {})
        for name in {**base, **ours, **theirs}:
            old, mine, other = (each.get(name, ABSENT) for each in (base, ours, theirs))
            merged = _merged(identifier, name, old, mine, other)
            if merged is CLASH:
                self._conflict(MergeConflict(identifier, name, _known(old), mine, other))
            else:
                mine = other = merged
            for side, value in zip(sides, (mine, other), strict=True):
                if value is not ABSENT:
                    side[name] = value
        return sides

    def _presence(self, identifier: str, base: Task | None, reason: str = "") -> None:
        """Report that one side has the task, changed or needed, and the other removed it."""
        ours, theirs = _both(self.ours, self.theirs, identifier)
        self.tasks[identifier] = (
            None if ours is None else ours.fields,
            None if theirs is None else theirs.fields,
        )
        said = [ABSENT if t is None else t.description for t in (base, ours, theirs)]
        self._conflict(MergeConflict(identifier, None, _known(said[0]), said[1], said[2], reason))

    def _conflict(self, conflict: MergeConflict) -> None:
        self.conflicts[conflict.id, conflict.field] = conflict

    def result(self) -> MergedTree:
        return MergedTree(self._side(0), self._side(1), tuple(self.conflicts.values()))

    def _side(self, side: int) -> Tree:
        return Tree(
            {name: both[side] or EMPTY for name, both in self.tables.items()},
            {
                identifier: Task(identifier, fields)
                for identifier, both in self.tasks.items()
                if (fields := both[side]) is not None
            },
        )

    # What the merge would break: two sound versions can meet in a plan that goes in circles.

    def hold_back(self) -> None:
        """Make conflicts of what would add a fault to the plan, whichever side is taken of all.

        Taking ours in all conflicts, or theirs, then gives a plan as sound as that side is.
        """
        known: set[Fault] | None = None
        while found := set(faults(self._side(0).plan)):
            if known is None:
                known = {*faults(self.ours.plan), *faults(self.theirs.plan)}
            added = (found - known) & set(faults(self._side(1).plan))
            if not sum(self._split(fault) for fault in sorted(added)):
                return

    def _split(self, fault: Fault) -> bool:
        """Let the sides differ in what closes a fault; say whether anything came of it."""
        before = len(self.conflicts)
        for (identifier, name), target in zip(fault, _targets(fault), strict=False):
            if not identifier:
                continue
            links = [_names(tree, identifier, name, target) for tree in (self.ours, self.theirs)]
            if links[0] != links[1] and (identifier, name) not in self.conflicts:
                self._link(identifier, name, target, links, why(fault))
        gone = fault[-1][1]
        removed = (gone in self.ours.tasks) != (gone in self.theirs.tasks)
        if fault[-1][0] == "" and removed and (gone, None) not in self.conflicts:
            self._presence(gone, self.base.tasks.get(gone), why(fault))
        return len(self.conflicts) > before

    def _link(
        self, identifier: str, name: str, target: str, links: list[bool], reason: str
    ) -> None:
        """Make a conflict of a link that one side has."""
        both = self.tasks[identifier]
        if both[0] is None or both[1] is None:
            return
        sides, values = [], []
        for tree, fields, has in zip((self.ours, self.theirs), both, links, strict=True):
            assert fields is not None  # noqa: S101  for the type checker
            value = fields.get(name, ABSENT)
            if not has:
                said = _said(tree, identifier, name)
                value = _without(value, target) if isinstance(value, list) else said
            values.append(value)
            sides.append(with_field(fields, name, value))
        self.tasks[identifier] = sides[0], sides[1]
        base = _known(_said(self.base, identifier, name))
        self._conflict(MergeConflict(identifier, name, base, values[0], values[1], reason))


def _merged(
    identifier: str, name: str, base: MaybeValue, ours: MaybeValue, theirs: MaybeValue
) -> Merged:
    if name == "status" and isinstance(ours, str) and isinstance(theirs, str):
        in_table = identifier.startswith("[")
        return merge3(base, ours, theirs) if in_table else merge_status(base, ours, theirs)
    if base == UNDECIDED and (isinstance(ours, list) or isinstance(theirs, list)):
        base = ABSENT  # nothing of it was agreed on, and a set can hold all of it
    return merge3(base, ours, theirs)


def _known(value: MaybeValue) -> MaybeValue:
    return ABSENT if value == UNDECIDED else value


def _said(tree: Tree, identifier: str, name: str) -> MaybeValue:
    return _fields(tree.tasks.get(identifier)).get(name, ABSENT)


def _targets(fault: Fault) -> Iterator[str]:
    """Yield what each step of a fault leads to."""
    if fault[-1][0] == "":
        return iter((fault[-1][1], ""))
    return iter([identifier for identifier, _ in (*fault[1:], fault[0])])


def _names(tree: Tree, identifier: str, name: str, target: str) -> bool:
    """Say whether a version has this link."""
    value = _said(tree, identifier, name)
    return target in value if isinstance(value, list) else value == target


def _without(items: list[Value], target: str) -> MaybeValue:
    return [item for item in items if item != target] or ABSENT


def conflicting_ids(conflicts: Iterable[MergeConflict]) -> list[str]:
    """List the tasks and tables that conflicts are about, each once, in order."""
    return list(dict.fromkeys(conflict.id for conflict in conflicts))
