"""What commands of people and agents about work return: plain data, no words for terminals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from tt.core.agents import Agent
from tt.core.jobs import Job
from tt.core.messages import Message
from tt.record import field, record

_NOBODY: Mapping[str, Agent] = {}


@record
class Reported:
    """What became of the report on a task.

    `was` says how: it ended, it will be tried again, it had ended so before, the attempt was given
    up before it was reported (`late`), or it had ended otherwise.
    """

    was: Literal["ended", "requeued", "repeated", "late", "other"]
    job: Job
    said: str
    agents: Mapping[str, Agent] = field(default_factory=lambda: _NOBODY)

    @property
    def is_done(self) -> bool:
        """Whether the town has it as it was said."""
        return self.was in ("ended", "requeued", "repeated")


@record
class TaskShown:
    """A task, who is there, and what it is linked to: by plan id, how far each is."""

    job: Job
    agents: Mapping[str, Agent]
    depends_on: Mapping[str, str] = field(default_factory=dict)
    in_backlog: bool = False


@record
class TaskList:
    """Tasks in order, who is there, and how many there are in the whole town."""

    jobs: tuple[Job, ...]
    agents: Mapping[str, Agent]
    total: int
    backlog: tuple[str, ...] = ()


@record
class Assigned:
    """A task that was given to an agent. `made`: it was made for that. `unmet` are the ids that it
    depends on and that are not completed."""

    job: Job
    agent: Agent
    made: bool = False
    unmet: tuple[str, ...] = ()


@record
class Shared:
    """What came of giving the whole backlog to one agent; `left` are those that stay, and why."""

    agent: Agent
    given: tuple[Job, ...] = ()
    left: Mapping[str, str] = field(default_factory=dict)


@record
class Mailbox:
    """What lies in somebody's inbox. `tasks` are the plan ids and descriptions of the tasks that
    messages name, by uuid."""

    uuid: str
    name: str
    state: str
    messages: tuple[Message, ...]
    tasks: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    senders: Mapping[str, str] = field(default_factory=dict)


@record
class AgentList:
    """The agents of a town, and what they have: tasks by the uuid of who has them."""

    town: str
    agents: tuple[Agent, ...]
    work: Mapping[str, tuple[Job, ...]] = field(default_factory=dict)


@record
class Crew:
    """The agents of a town at a glance. Of each that is asked for: the number of its messages, the
    last lines of its activity; and all tasks, where those are."""

    agents: AgentList
    messages: Mapping[str, int] = field(default_factory=dict)
    activity: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tasks: TaskList | None = None


@record
class Buried:
    """An agent that is dead or gone, why, and what it held: given back, or still to be.

    `spared` says why one that may be dead is left alone.
    """

    agent: Agent
    why: str
    jobs: tuple[Job, ...] = ()
    spared: bool = False


@record
class Recovered:
    """Who was found dead among how many; with `dry_run` nothing was done about it."""

    looked_at: int
    found: tuple[Buried, ...] = ()
    dry_run: bool = False


@record
class Reclaimed:
    """One piece of work of somebody who is gone: a task, or a message that asks for something.

    `became` says where it is now: `listed` (where it was), `backlog`, an agent's name, `cancelled`,
    `deleted`, `pending`; or `kept`, and `why`.
    """

    holder: str
    became: str
    job: Job | None = None
    message: Message | None = None
    why: str = ""


@record
class Pruned:
    """Agents that were removed from the town, and those that stay, with the reason."""

    removed: tuple[Agent, ...] = ()
    kept: tuple[tuple[Agent, str], ...] = ()
    given_back: tuple[Job, ...] = ()


@record
class Saved:
    """A town that was written into a file, and how many keys of Redis it had."""

    file: str
    town: str
    keys: int


@record
class Restored:
    """A save of the town `town` that was put into this one; `before` is what was there."""

    file: str
    town: str
    keys: int
    before: Saved | None = None


@record
class Cleared:
    """What was taken out of a town, and where it is kept; `given_back` are tasks of agents."""

    saved: Saved | None
    agents: int
    tasks: int
    backlog: int
    given_back: int = 0


@record
class Told:
    """One event, with what people call the agent and the task that it is about; `data` is the
    event itself."""

    id: str
    kind: str
    time: str
    agent: str
    task: str
    data: Mapping[str, object]


@record
class Past:
    """The last events of a town, oldest first."""

    town: str
    events: tuple[Told, ...]
