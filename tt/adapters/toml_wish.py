"""What an edit of a plan file comes to: by task index, with everything superfluous left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tt.core.diff import Added, Change, Edited, Removed, apply, diff
from tt.core.document import Reading, canonical
from tt.core.model import META_ID, Plan, Task
from tt.record import field, record

if TYPE_CHECKING:
    from tt.ports import Snapshot


@record(frozen=False)
class Wish:
    """The difference between the plan that a text says and the plan that it shall say.

    `count` is how many tasks the text has, read or not; `indexes` tells where each one stands.
    """

    before: Plan
    after: Plan
    count: int
    indexes: Mapping[str, int]
    named: dict[int, str]
    edits: dict[int, list[Edited]] = field(default_factory=dict)
    meta: list[Edited] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)
    added: list[Task] = field(default_factory=list)
    last_staying: int | None = None
    """The index of the last task that is not removed; None where none stays."""

    def __bool__(self) -> bool:
        return bool(self.named or self.edits or self.meta or self.removed or self.added)

    @property
    def touched(self) -> list[int]:
        """The indexes of the tasks that stay and change, in order."""
        return sorted({*self.edits, *self.named} - {*self.removed})


def wish_for(
    before: Snapshot | Reading, changes: Sequence[Change], named: Mapping[int, str]
) -> Wish:
    """Work out what `changes` come to; those that the text already says come to nothing."""
    after = _outcome(before.plan, changes) if changes else before.plan
    if isinstance(before, Reading):
        indexes, count = before.indexes, before.count
    else:
        indexes = {identifier: at for at, identifier in enumerate(before.plan.tasks)}
        count = len(indexes)
    wish = Wish(before.plan, after, count, indexes, {})
    for change in diff(before.plan, after) if changes else ():
        _sort_in(wish, change)
    gone = set(wish.removed)
    wish.named.update({at: name for at, name in named.items() if at not in gone})
    wish.last_staying = next((at for at in reversed(range(count)) if at not in gone), None)
    return wish


def _sort_in(wish: Wish, change: Change) -> None:
    if isinstance(change, Added):
        wish.added.append(change.task)
    elif isinstance(change, Removed):
        wish.removed.append(wish.indexes[change.id])
    elif change.id == META_ID:
        wish.meta.append(change)
    else:
        wish.edits.setdefault(wish.indexes[change.id], []).append(change)


def _outcome(before: Plan, changes: Sequence[Change]) -> Plan:
    """Apply changes and give the plan the form in which its file would be read.

    Empty is absent, and a task that was taken out and put in again stays where it stands.
    """
    after = apply(before, changes)
    tasks = dict(after.tasks)
    for identifier in {change.id for change in changes} & tasks.keys():
        tasks[identifier] = canonical(tasks[identifier])
    if any(isinstance(change, Added) and change.id in before.tasks for change in changes):
        standing = {
            identifier: tasks[identifier] for identifier in before.tasks if identifier in tasks
        }
        tasks = {**standing, **tasks}
    return Plan(after.meta, tasks)
