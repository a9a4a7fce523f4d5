"""Asking again on a new connection where the first one broke."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from tt.adapters.redis.replies import LostError, RefusedError
from tt.record import record

T = TypeVar("T")

_ELSEWHERE: Final = frozenset({"MOVED", "ASK", "TRYAGAIN", "READONLY", "MASTERDOWN"})
"""Refusals of a server that is not the town's any more; nothing was done."""


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
        except (LostError, RefusedError) as error:
            if not _is_over(error):
                raise
            self.reconnect()
            return what()

    def ask_once(self, what: Callable[[], T]) -> T:
        """Ask, and let only what comes next have a new connection: for what cannot be repeated.

        Raises StoreError.
        """
        try:
            return what()
        except (LostError, RefusedError) as error:
            if _is_over(error):
                self.reconnect()
            raise


def _is_over(error: LostError | RefusedError) -> bool:
    return isinstance(error, LostError) or error.reply.code in _ELSEWHERE
