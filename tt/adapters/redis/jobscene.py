"""What a change of one task rests on, and what it comes to; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tt.adapters.redis.codec import Hash
from tt.adapters.redis.happenings import event_text, message_text, streams
from tt.adapters.redis.jobfields import uuid_in
from tt.adapters.redis.keys import TownKeys
from tt.adapters.redis.steps import Step
from tt.core.messages import Kind
from tt.record import field, record

MOST_UNREAD: Final = 1_000
"""Messages in an inbox from which on new word of a task takes the place of older word."""


@record
class Scene:
    """What a step rests on: the hashes as they were read, `{}` where there is none.

    `agent` is that of the agent which the step concerns; `shelved`: the task is in the backlog;
    `tagged`: it is in a plan. `token` is for this step alone, `mail` the uuid of a message that it
    sends, `now` nanoseconds since 1970.
    """

    keys: TownKeys
    uuid: str
    task: Hash
    agent: Hash
    token: str
    mail: str
    now: int
    shelved: bool = False
    tagged: bool = True

    @property
    def task_key(self) -> str:
        """The key of the task's hash."""
        return self.keys.task(self.uuid)

    @property
    def backlog(self) -> str:
        """The key of the town's backlog."""
        return self.keys.own("backlog")

    @property
    def held_by(self) -> str:
        """The uuid of the agent that the task is assigned to; empty without one."""
        return uuid_in(self.task, "assigned_to")

    def is_at(self, *states: str) -> bool:
        """Say whether the task's state is one of these."""
        return self.task.get("state") in states

    def resting(self, *fields: str) -> Step:
        """Begin a step that rests on how the task stands, and on more fields of it."""
        step = Step()
        step.expect(self.task_key, self.task, "state", "assigned_to", *fields)
        return step

    def tell(self, step: Step, what: Told) -> None:
        """Let the step write an event."""
        data = {
            "agent_id": what.agent, "task_id": self.uuid,
            "old_state": self.task.get("state") or "", "new_state": what.state, **what.more,
        }  # fmt: skip
        text = event_text(what.kind, what.message, self.now, data)
        step.tell(streams(self.keys, what.agent), what.kind, text)

    def mail_to(self, step: Step, to: str, kind: Kind, sender: str, content: Content) -> None:
        """Let the step put a message at the end of an inbox."""
        step.do("RPUSH", self.keys.of("inbox", to), self._message(to, kind, sender, content))

    def word_to(self, step: Step, to: str, kind: Kind, sender: str, content: Content) -> None:
        """Let the step put word of a task's end there, of which no more is kept than is read."""
        text = self._message(to, kind, sender, content)
        step.do("WORD", self.keys.of("inbox", to), MOST_UNREAD, text)

    def _message(self, to: str, kind: Kind, sender: str, content: Content) -> str:
        return message_text(kind, sender, to, self.now, self.mail, **content)


Content = Mapping[str, object]


@record
class Told:
    """An event of a task: tinytown's kind, what it says, whose it is, and the new state."""

    kind: str
    message: str
    agent: str
    state: str
    more: Mapping[str, str] = field(default_factory=dict)


@record
class Move:
    """What is to be done. `done`: it will be, with this step, or it is already, without one.

    `new` are the fields of the task's hash that the step changes; None takes one away.
    """

    done: bool = False
    step: Step | None = None
    new: Mapping[str, str | None] = field(default_factory=dict)
    requeued: bool = False


NOTHING: Final = Move()
"""It must not be done: the task does not stand so."""
