"""Three of a kind: what a base, ours and theirs say of one thing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

_T = TypeVar("_T")
_U = TypeVar("_U")


class Three(NamedTuple, Generic[_T]):
    """One thing in the three versions that a merge is about."""

    base: _T
    ours: _T
    theirs: _T

    def map(self, make: Callable[[_T], _U]) -> Three[_U]:
        """Return what `make` makes of each."""
        return Three(make(self.base), make(self.ours), make(self.theirs))

    def swapped(self) -> Three[_T]:
        """Return them with ours and theirs in each other's place."""
        return Three(self.base, self.theirs, self.ours)


def picked(three: Three[_T]) -> _T:
    """Choose between two that mean the same: the one that was changed, ours if both were."""
    return three.theirs if three.ours == three.base else three.ours
