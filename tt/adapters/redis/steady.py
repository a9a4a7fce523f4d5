"""Asking again on a new connection where the first one broke."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tt.adapters.redis.replies import LostError, MovedError
from tt.record import record

T = TypeVar("T")


@record
class Steady:
    """`reconnect` lets the connection be opened anew by whatever is asked next."""

    reconnect: Callable[[], None]

    def ask(self, what: Callable[[], T]) -> T:
        """Ask, and once more where the connection broke or the town is elsewhere now.

        Whether the first one was done is not known: only for what can be done twice, or knows
        itself by a token. Raises StoreError.
        """
        try:
            return what()
        except (LostError, MovedError):
            self.reconnect()
            return what()
