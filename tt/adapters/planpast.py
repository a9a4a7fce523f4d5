"""Reading many versions of one plan file: a task that stands in all of them is parsed once."""

from __future__ import annotations

from typing import Final

from tt.adapters.planfile import read_leniently
from tt.adapters.planpieces import cut, read_head, read_piece
from tt.adapters.toml_read import text_of
from tt.core.document import Reading
from tt.core.lifeline import Version
from tt.core.model import Plan, Task
from tt.core.problem import Problem
from tt.core.values import Value
from tt.errors import Located, PlanError

_HARMLESS: Final = frozenset({"parent", "dependency", "cycle", "description"})
"""Problems that hide nothing of what a plan says; real plans of the past have them."""


class PastPlans:
    """Reads versions of the file that messages call `name`."""

    def __init__(self, name: str) -> None:
        """Begin with nothing remembered."""
        self._name = name
        self._tasks: dict[bytes, Task | None] = {}
        self._heads: dict[bytes, dict[str, Value] | None] = {}

    def read(self, data: bytes | None, file: str = "") -> Version:
        """Read a version; None is one without the file."""
        if data is None:
            return Version(None, "", file)
        plan = self._quickly(data)
        return self._wholly(data, file) if plan is None else Version(plan, "", file)

    def _quickly(self, data: bytes) -> Plan | None:
        """Put a plan together of known tasks; None where it takes a look at the whole."""
        head, *blocks = cut(data)
        meta = self._head(head) if blocks else None
        if meta is None:
            return None
        tasks: dict[str, Task] = {}
        for block in blocks:
            task = self._tasks[block] if block in self._tasks else self._task(block)
            if task is None:
                return None
            tasks[task.id] = task
        return Plan(meta, tasks) if len(tasks) == len(blocks) else None

    def _head(self, text: bytes) -> dict[str, Value] | None:
        if text not in self._heads:
            self._heads[text] = read_head(text)
        return self._heads[text]

    def _task(self, block: bytes) -> Task | None:
        """Read one task and remember it."""
        self._tasks[block] = read_piece(block, _HARMLESS)
        return self._tasks[block]

    def _wholly(self, data: bytes, file: str) -> Version:
        try:
            reading = read_leniently(data, self._name)
        except PlanError as error:
            return Version(None, fault_of(error, self._name), file)
        if _grave(reading):
            from tt.adapters.toml_faults import located  # only where something is wrong

            first = next(filter(is_grave, located(text_of(data), reading)))
            return Version(None, f"line {first.line}: {first.message}", file)
        return Version(reading.plan, "", file)


def _grave(reading: Reading) -> list[Problem]:
    return [problem for problem in reading.problems if is_grave(problem)]


def is_grave(problem: Problem | Located) -> bool:
    """Say whether a problem hides something of what the plan says."""
    return problem.code not in _HARMLESS


def fault_of(error: PlanError, name: str) -> str:
    """Say in one line what is wrong with a version, with the line where that is known."""
    for problem in error.problems:
        return f"line {problem.line}: {problem.message}"
    return error.message.splitlines()[0].removeprefix(f"{name}: ").rstrip(".")
