"""Reading one plan file again and again: a save costs what it changes, not what it holds.

The pieces of the last version that was sound are kept (`planpieces`), with what each of them says.
So whatever stands in the next version, too, is the very same object, and what is to be compared
with it is compared at a glance.
"""

from __future__ import annotations

from collections.abc import Mapping

from tt.adapters.bulk import undisturbed
from tt.adapters.planfile import read_plan
from tt.adapters.planpieces import cut, read_head, read_piece
from tt.core.document import is_sound
from tt.core.model import Plan, Task
from tt.ports import Snapshot


class PlanMemory:
    """What the last version of a plan said, piece by piece; for a `TomlPlanFile` to read with.

    It holds one version and no more: what is gone from the file is forgotten.
    """

    def __init__(self) -> None:
        """Begin with nothing remembered."""
        self._last: Snapshot | None = None
        self._pieces: Mapping[str, Task] = {}

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
        head, *blocks = cut(data) or [""]
        meta = read_head(head) if blocks else None
        if meta is None:
            return None
        known, pieces = self._pieces, dict[str, Task]()
        for block in blocks:
            task = known.get(block) or read_piece(block)
            if task is None:
                return None
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


def _same(before: Task | None, now: Task) -> Task:
    return before if before is not None and before == now else now
