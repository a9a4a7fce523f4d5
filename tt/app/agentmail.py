"""An agent's messages: taken, sorted into work and news, answered, settled.

What was taken and not settled comes back after a crash. So a message is settled only when nothing
would be lost without it: a task's when that is claimed, news when a prompt with them is given.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from tt.core.agents import Agent
from tt.core.messages import Kind, Message
from tt.core.prompts import MOST_MESSAGES
from tt.core.times import zulu
from tt.errors import StoreError
from tt.ports import Clock
from tt.workports import Workshop

_AT_ONCE: Final = 10
"""Messages that are taken at one go."""
_MOST: Final = 50
"""Tasks that are taken ahead."""
_MOST_NEWS: Final = 200
"""News that are taken ahead of a task that is there; in front of one there may be more of them."""


class Mail:
    """What an agent has been sent. After a StoreError the same is asked again."""

    def __init__(self, me: Agent, shop: Workshop, clock: Clock, new_id: Callable[[], str]) -> None:
        self._me, self._shop, self._clock, self._new_id = me, shop, clock, new_id
        self.work: deque[Message] = deque()
        """Messages that name a task to do, in order."""
        self.news: list[Message] = []
        """Messages for the next prompt."""
        self.shutdown: Message | None = None
        self._settling: deque[Message] = deque()
        self._must_untake = True
        self.may_be_more = True

    @property
    def has_question(self) -> bool:
        """Whether somebody waits for an answer."""
        return any(message.kind == Kind.QUERY for message in self.news)

    @property
    def next_news(self) -> Sequence[Message]:
        """The news that the next prompt has room for; the others wait for the one after it."""
        return self.news[:MOST_MESSAGES]

    def collect(self, working_on: str) -> None:
        """Take what there is; `working_on` is the uuid of the task under way, for who asks."""
        self.clear_away()
        while self.may_be_more and self._has_room:
            taken = self._take()
            self.may_be_more = len(taken) == _AT_ONCE
            for message in taken:
                self._sort(message, working_on)

    @property
    def _has_room(self) -> bool:
        """Whether more may be taken: without work to do always, as the next may be some."""
        return not self.work or (len(self.work) < _MOST and len(self.news) < _MOST_NEWS)

    def is_told_to_shut_down(self) -> bool:
        """Say whether such a message lies in the inbox; nothing is taken."""
        return any(found.kind == Kind.SHUTDOWN for found in self._shop.inbox(self._me.uuid))

    def clear_away(self) -> None:
        """Settle what is dealt with; after a failure put back what nobody has seen."""
        if self._must_untake:
            self._shop.untake(self._me.uuid)
            self._forget()
        while self._settling:
            self._shop.settle(self._me.uuid, self._settling[0])
            self._settling.popleft()

    def begin(self, message: Message) -> None:
        """Have dealt with the first of `work`: its task is claimed, or is not this agent's."""
        self.work.popleft()
        self.settle(message)

    def settle(self, *messages: Message) -> None:
        """Have dealt with messages; they are settled as soon as Redis can be told."""
        self._settling.extend(messages)

    def settle_news(self) -> None:
        """Have dealt with the news that a prompt had room for."""
        self.settle(*self.next_news)
        self.news = self.news[MOST_MESSAGES:]

    def put_back(self) -> None:
        """Put everything that is not dealt with back into the inbox."""
        self.clear_away()
        self._shop.untake(self._me.uuid)
        self._forget()

    def _forget(self) -> None:
        self.work.clear()
        self._settling.clear()
        self.news = []
        self._must_untake, self.may_be_more = False, True

    def _take(self) -> Sequence[Message]:
        try:
            return self._shop.take_some(self._me.uuid, _AT_ONCE)
        except StoreError:
            self._must_untake = True
            raise

    def _sort(self, message: Message, working_on: str) -> None:
        kind = message.kind
        if kind == Kind.TASK_ASSIGN:
            self.work.append(message)
            return
        if kind not in _ANSWERED:
            self.news.append(message)
            return
        try:
            self._answer(message, working_on)
        except StoreError:
            self._must_untake = True  # so that it is read again
            raise
        self.settle(message)

    def _answer(self, message: Message, working_on: str) -> None:
        if message.kind == Kind.TASK:
            description = message.text("description")
            self._shop.make(description, agent=self._me.uuid, source=message.mark)
            self.may_be_more = True
        elif message.kind == Kind.SHUTDOWN:
            self.shutdown = message
        elif message.kind == Kind.PING:
            self._reply(message, Kind.PONG, {})
        else:
            state = "working" if working_on else "idle"
            self._reply(
                message,
                Kind.STATUS_RESPONSE,
                {"state": state, "current_task": working_on or None},
            )

    def _reply(self, message: Message, kind: Kind, content: dict[str, object]) -> None:
        self._shop.send(
            Message(
                id=self._new_id(),
                sender=self._me.uuid,
                to=message.sender,
                kind=kind,
                content=content,
                created_at=zulu(self._clock.now_ns()),
                correlation_id=message.correlation_id or message.id,
            )
        )


_ANSWERED: Final = frozenset({Kind.TASK, Kind.SHUTDOWN, Kind.PING, Kind.STATUS_REQUEST})
