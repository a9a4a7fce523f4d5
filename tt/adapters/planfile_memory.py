"""Reading one plan file again and again: a save costs what it changes, not what it holds.

The pieces of the last version that was sound are kept (`planpieces`), with what each of them says.
So whatever stands in the next version, too, is the very same object, and what is to be compared
with it is compared at a glance.
"""

from __future__ import annotations

from collections.abc import Mapping
from sys import intern

from tt.adapters.bulk import undisturbed
from tt.adapters.planfile import read_plan
from tt.adapters.planpieces import cut, read_head, read_piece
from tt.core.document import is_sound
from tt.core.model import LIST_FIELDS, Plan, Task
from tt.core.values import Value
from tt.ports import Snapshot


class PlanMemory:
    """What the last version of a plan said, piece by piece; for a `TomlPlanFile` to read with.

    It holds one version and no more: what is gone from the file is forgotten.
    """

    def __init__(self) -> None:
        """Begin with nothing remembered."""
        self._last: Snapshot | None = None
        self._pieces: Mapping[bytes, Task] = {}

    def read(self, data: bytes, name: str) -> Snapshot:
        """Read the plan in a file's bytes: what `read_plan` returns, and what it raises."""
        last = self._last
        if last is None or data != last.data:
            with undisturbed():
                last = self._quickly(data) or self._wholly(data, name)
            self._last = last
        return last

    def _quickly(self, data: bytes) -> Snapshot | None:
        """Put a plan together of pieces; None where it takes a look at the whole."""
        head, *blocks = cut(data)
        meta = read_head(head) if blocks else None
        if meta is None:
            return None
        known, pieces = self._pieces, dict[bytes, Task]()
        for block in blocks:
            task = known.get(block)
            if task is None:
                new = read_piece(block)
                if new is None:
                    return None
                task = _slim(new)
            pieces[block] = task
        plan = Plan(meta, {task.id: task for task in pieces.values()})
        if len(plan.tasks) < len(blocks) or not is_sound(plan):
            return None
        self._pieces = pieces
        return Snapshot(data, plan)

    def _wholly(self, data: bytes, name: str) -> Snapshot:
        """Read a plan in one piece, and keep of the last one what did not change."""
        snapshot = read_plan(data, name)
        before = self._last.plan.tasks if self._last is not None else {}
        tasks = {one.id: _same(before.get(one.id), one) for one in snapshot.plan.tasks.values()}
        return Snapshot(data, Plan(snapshot.plan.meta, tasks), snapshot.named)


def _slim(task: Task) -> Task:
    """Return the task with the texts shared that many tasks have: it is kept for long."""
    return Task(intern(task.id), {intern(k): _slim_value(k, v) for k, v in task.fields.items()})


def _slim_value(name: str, value: Value) -> Value:
    if isinstance(value, str):
        return value if name == "description" else intern(value)
    if isinstance(value, list) and name in LIST_FIELDS:
        return [intern(item) if isinstance(item, str) else item for item in value]
    return value


def _same(before: Task | None, now: Task) -> Task:
    return before if before is not None and before == now else now
