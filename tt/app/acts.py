"""Steps of a set-up that are decided first and carried out afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple, TypeAlias

from tt.core.answers import Step

Do: TypeAlias = Callable[[], None]
"""What a step does; it raises TTError."""


class Act(NamedTuple):
    """One step: what is said of it, what it does, and what else a person should know."""

    step: Step
    do: Do | None = None
    note: str = ""


def act(
    name: str,
    done: Literal["made", "changed", "kept", "removed"],
    what: str,
    do: Do | None = None,
    note: str = "",
) -> Act:
    """Return a step about the file or the setting `name`."""
    return Act(Step(name, done, what), do, note)


def carry_out(acts: list[Act]) -> None:
    """Do them in order; one that fails ends it, and what was done before is whole."""
    for each in acts:
        if each.do is not None:
            each.do()
