"""What a conductor needs of the world: a town, ears, and somebody to send on errands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, Protocol

from tt.core.agents import Agent
from tt.record import record
from tt.workports import Workshop

Kind = Literal["commit", "spawn"]


@record
class Overheard:
    """What may have changed in a town. `tasks` and `agents` are uuids; `town`: the plan's own
    table, or whose the town is; `leader`: who conducts; `lost`: anything."""

    tasks: frozenset[str] = frozenset()
    agents: frozenset[str] = frozenset()
    town: bool = False
    leader: bool = False
    lost: bool = False


@record
class Errand:
    """An errand that is over. `problem` and `hint` say why it failed; `said` what came of it."""

    kind: Kind
    name: str
    problem: str = ""
    hint: str = ""
    said: str = ""


class Stage(Protocol):
    """One town, and the machine that the conductor is on. Raises StoreError as the town does."""

    @property
    def workshop(self) -> Workshop:
        """The town."""
        ...

    def listen(self) -> str | None:
        """Have Redis tell what changes from now on; say why it cannot, where it cannot."""
        ...

    def heard(self) -> Overheard:
        """Return what Redis told since this was asked last, without waiting."""
        ...

    def check(self) -> None:
        """Make sure that Redis would tell. Raises StoreError where it does not any more."""
        ...

    def order(self) -> Sequence[str]:
        """Return the plan's ids in the order of the file; none where there is no such file."""
        ...

    def dead(self, agents: Iterable[Agent]) -> Mapping[str, str]:
        """Return those of these agents whose processes were on this machine and are gone, and how
        that is said; and be woken when one of the others goes."""
        ...

    def spawn(self, name: str) -> None:
        """Begin to start an agent. Raises TTError where that cannot even begin."""
        ...

    def commit(self) -> None:
        """Begin to commit what Redis has of the plan. Raises TTError where that cannot begin."""
        ...

    def errands(self) -> Sequence[Errand]:
        """Return the errands that are over since this was asked last."""
        ...
