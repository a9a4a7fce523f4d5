"""The three trees of a sync, how the store stands to the base, and where the three differ."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from tt.core.base import Base
from tt.core.model import EMPTY, Plan, Task
from tt.core.outcome import Side
from tt.core.values import Value
from tt.record import field, record


class Trust(StrEnum):
    """How the store stands to what the base remembers of it.

    `CURRENT`: it went on from there. `REWOUND`: it lost writes that the base has seen (flushed,
    restored, failed over): statuses move only forward, plan fields are healed from the file.
    `REPLACED`: another clone healed it since: what differs may be a loss or an edit, so a plan
    field that only the store changed is a conflict.
    """

    CURRENT = "current"
    REWOUND = "rewound"
    REPLACED = "replaced"


@record
class StoreView:
    """The store as reconciling sees it: its tasks, the tombstones of removed ones, both by id.

    `aside` are ids whose hash exists but cannot be used: they are left alone on both sides.
    `remade` are ids whose hash is younger than the base, which knows the task: it was lost and made
    again, maybe by a clone that knew less, so it is as a task of a replaced store.
    """

    meta: Mapping[str, Value] = field(default_factory=lambda: EMPTY)
    tasks: Mapping[str, Task] = field(default_factory=dict)
    tombstones: Mapping[str, Task] = field(default_factory=dict)
    aside: frozenset[str] = frozenset()
    remade: frozenset[str] = frozenset()


@record
class Terms:
    """What a reconcile needs to know beside the three trees.

    `wishes` are the ids among `doubtful(…)` of which somebody really wrote what the file says.
    `reset` lets every status of the file win. `decided` says how conflicts are to end, by id.
    """

    trust: Trust = Trust.CURRENT
    wishes: frozenset[str] = frozenset()
    reset: bool = False
    decided: Mapping[str, Side] = field(default_factory=dict)


def differing(
    base: Base, file: Plan, store: StoreView, within: frozenset[str] | None = None
) -> frozenset[str]:
    """List the ids of which base, file and store do not all say the same.

    In a plan of thousands they are few, and all else that is asked of the three trees concerns
    only them: the functions below take them as `among`, and find them where that is None. Where
    none but those `within` can differ, only these are compared.
    """
    agreed, stored = base.tasks, store.tasks
    if within is not None:
        three = ((one, agreed.get(one), file.tasks.get(one), stored.get(one)) for one in within)
        return frozenset(one for one, *said in three if _differ(*said))
    found = {*(stored.keys() - file.tasks.keys()), *(agreed.keys() - file.tasks.keys())}
    for identifier, task in file.tasks.items():
        old, other = agreed.get(identifier), stored.get(identifier)
        if old is None or other is None or not old.fields == task.fields == other.fields:
            found.add(identifier)
    return frozenset(found)


def _differ(old: Task | None, task: Task | None, other: Task | None) -> bool:
    if old is None or task is None or other is None:
        return not (old is None and task is None and other is None)
    return not old.fields == task.fields == other.fields
