"""Messages of a town: what lies in inboxes, and sending one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from tt.app.naming import the_mailbox
from tt.core.agents import SUPERVISOR, Agent, name_of
from tt.core.messages import Kind, Message
from tt.core.myself import Myself
from tt.core.times import zulu
from tt.core.worked import Mailbox
from tt.errors import UsageError
from tt.ports import Clock
from tt.workports import Workshop

Sort = Literal["task", "query", "info", "ack"]
_WORDS: Final = {
    "received": "received", "thanks": "thanks", "thank you": "thanks", "approved": "approved",
}  # fmt: skip
"""What an acknowledgment says, and which of tinytown's kinds that is."""
_ACTED_ON: Final = frozenset(
    {Kind.TASK, Kind.TASK_ASSIGN, Kind.SHUTDOWN, Kind.PING, Kind.STATUS_REQUEST}
)
"""Messages that an agent is given work by, or that it answers by itself."""


def inbox(workshop: Workshop, me: Myself, name: str) -> Mailbox:
    """Look at one inbox, without a name at that of whoever asks. Nothing is taken out."""
    agents = workshop.agents()
    uuid, called = the_mailbox(agents, name or me.sender, workshop.town)
    return _mailboxes(workshop, agents, {uuid: called})[0]


def inboxes(workshop: Workshop) -> list[Mailbox]:
    """Look at the inboxes of all agents, and of whoever supervises them."""
    agents = workshop.agents()
    names = {uuid: agent.name for uuid, agent in agents.items()}
    return _mailboxes(workshop, agents, {**names, SUPERVISOR: "supervisor"})


def clear(workshop: Workshop, mailbox: Mailbox) -> int:
    """Take the messages out of an inbox that were shown, and no others; return how many.

    What an agent's own process acts on stays for that: a task that nobody hears of is never done.
    """
    kept = frozenset() if mailbox.uuid == SUPERVISOR else _ACTED_ON
    read = [message for message in mailbox.messages if message.kind not in kept]
    return sum(workshop.drop(mailbox.uuid, message) for message in read)


def send(workshop: Workshop, clock: Clock, message: Message) -> tuple[Message, str, str]:
    """Send a message, whose `sender` and `to` are as people call them.

    Returns it as it was sent, and the names of both. Raises TTError for an unknown one.
    """
    agents = workshop.agents()
    sender, sender_name = the_mailbox(agents, message.sender, workshop.town)
    to, to_name = the_mailbox(agents, message.to, workshop.town)
    sent = Message(
        message.id, sender, to, message.kind, message.content, message.priority,
        zulu(clock.now_ns()), message.correlation_id,
    )  # fmt: skip
    workshop.send(sent)
    return sent, sender_name, to_name


def content_of(sort: Sort, text: str) -> tuple[Kind, Mapping[str, object]]:
    """Return what kind of message a text is to be, and its fields. Raises UsageError."""
    if not text.strip():
        raise UsageError("There is nothing in that message.")
    if sort == "query":
        return Kind.QUERY, {"question": text}
    if sort == "info":
        return Kind.INFORMATIONAL, {"summary": text}
    if sort == "ack":
        return Kind.CONFIRMATION, {"ack_type": acknowledgment(text)}
    return Kind.TASK, {"description": text}


def acknowledgment(text: str) -> dict[str, str]:
    """Return what kind of acknowledgment a text is; `rejected: REASON` has its reason."""
    said, _, reason = text.partition(":")
    word = said.strip().lower().rstrip(".!")
    if word == "rejected":
        return {"type": "rejected", "reason": reason.strip()}
    return {"type": _WORDS.get(text.strip().lower().rstrip(".!"), "acknowledged")}


def _mailboxes(
    workshop: Workshop, agents: Mapping[str, Agent], names: Mapping[str, str]
) -> list[Mailbox]:
    read = {uuid: tuple(workshop.inbox(uuid)) for uuid in names}
    tasks = _tasks(workshop, [message for messages in read.values() for message in messages])
    found = []
    for uuid, messages in read.items():
        senders = {message.sender: name_of(agents, message.sender) for message in messages}
        state = str(agents[uuid].state) if uuid in agents else ""
        named = {message.text("task_id") for message in messages} & tasks.keys()
        known = {task: tasks[task] for task in named}
        found.append(Mailbox(uuid, names[uuid], state, messages, known, senders))
    return found


def _tasks(workshop: Workshop, messages: Sequence[Message]) -> dict[str, tuple[str, str]]:
    uuids = {message.text("task_id") for message in messages} - {""}
    jobs = workshop.jobs(uuids) if uuids else {}
    return {uuid: (job.task.id, job.task.description) for uuid, job in jobs.items()}
