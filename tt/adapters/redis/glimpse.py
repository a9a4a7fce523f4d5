"""Reading some of a town's tasks, where the others are known from before; pure, like `reading`."""

from __future__ import annotations

from collections.abc import Mapping

from tt.adapters.redis.keys import TownKeys
from tt.adapters.redis.reading import Rest
from tt.core.ids import task_uuid
from tt.ports import Glimpse, StoreState, Wanted
from tt.record import record, replace


@record
class Choice:
    """What is read of a town's hashes: `uuids`, in order. `rest` are those that are not.

    `missed` are the plan ids that hashes had which are read now, or are gone.
    """

    uuids: list[str]
    rest: Rest
    missed: frozenset[str]


def choose(keys: TownKeys, wanted: Wanted, there: set[str]) -> Choice:
    """Choose what to read of the hashes that are there.

    That is also what stands where the hash of a wanted task would be, whatever it was called.
    """
    places = {task_uuid(keys.town, plan_id) for plan_id in wanted.ids}
    chosen = there & (wanted.uuids | places)
    missed, unread = set(), {}
    for uuid, plan_id in wanted.names.items():
        if uuid not in there or uuid in chosen:
            missed.add(plan_id)
        elif plan_id in wanted.ids:
            chosen.add(uuid)
        else:
            unread[uuid] = plan_id
    chosen |= there - wanted.names.keys()
    return Choice(sorted(chosen), Rest(unread, wanted.ids), frozenset(missed))


def glimpsed(choice: Choice, state: StoreState, uuids: Mapping[str, str]) -> Glimpse | None:
    """Return what was seen; None where a hash that was read is called like one that was not."""
    read = {stored.uuid: plan_id for plan_id, stored in state.tasks.items()}
    unread = choice.rest.names
    others = frozenset(unread.values())
    if not others.isdisjoint(state.tasks):
        return None
    state = replace(
        state,
        tombstones={name: task for name, task in state.tombstones.items() if name not in others},
        unread={plan_id: uuid for plan_id, uuid in uuids.items() if uuid in unread},
    )
    ids = choice.rest.asked | choice.missed | state.tasks.keys()
    return Glimpse(state, {**unread, **read}, ids)
