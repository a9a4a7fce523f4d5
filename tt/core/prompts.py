"""What an agent is told to do: a template with names in it, filled with data; pure.

Data stays data: what stands for a name is never looked through for names again, so that a task's
text may hold `{{anything}}`. Texts that others wrote (results, messages) are quoted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from tt.core.jobs import Job
from tt.core.messages import Message
from tt.errors import UsageError
from tt.record import record

TEMPLATE: Final = """\
You are `{{agent}}`, an agent of the town `{{town}}`.

{{role}}

# Task `{{task}}`

{{description}}

{{group}}

{{before}}

{{attempts}}

{{messages}}

# When you are done

Report with exactly this command, which is how others learn of it:

    {{tt}} task complete {{uuid}} --result "one or two sentences: what you did, and where it is"

If it cannot be done, say so instead of leaving it half done:

    {{tt}} task fail {{uuid}} --result "why, and what is missing"

{{end}}
"""
"""The prompt of a task, where the user has none of their own."""

ERRAND: Final = """\
You are `{{agent}}`, an agent of the town `{{town}}`.

{{role}}

There is no task for you just now, but somebody waits for an answer.

{{messages}}

Answer with:

    {{tt}} send NAME "your answer"
"""
"""The prompt of a round that has messages and no task."""

_NAME: Final = re.compile(r"^[ \t]*\{\{(\w+)\}\}[ \t]*(?:\n+|\Z)|\{\{(\w+)\}\}", re.MULTILINE)
_LONGEST: Final = 4_000
"""Characters of one text that somebody else wrote."""
MOST_MESSAGES: Final = 50
"""Messages in one prompt; who has more keeps the others for the next one."""
_MOST_BEFORE: Final = 50
"""Tasks that came before; the last ones are shown."""
_END_SELF: Final = "A task that is not reported counts as failed, however well it was done."
_END_EXIT: Final = "Without a report, your exit code says how it went, and your last lines why."


@record
class Teller:
    """Who is told: the agent's name and role, its town, the words that call `tt` from anywhere, and
    whether it has to report by itself. `branch` is its own, where it works in its own worktree."""

    agent: str
    role: str
    town: str
    tt: str
    must_report: bool = True
    branch: str = ""


@record
class Brief:
    """All that a task's prompt is made of. `groups` are around it, innermost first; `before` are
    the tasks that had to come first. `names` are agents' names by uuid."""

    job: Job
    groups: Sequence[Job] = ()
    before: Sequence[Job] = ()
    messages: Sequence[Message] = ()
    names: Mapping[str, str] | None = None


def task_prompt(template: str, teller: Teller, brief: Brief) -> str:
    """Write the prompt of one attempt at a task."""
    job = brief.job
    return fill(template, {
        **_who(teller), "task": job.task.id, "uuid": job.uuid,
        "description": job.task.description, "tags": ", ".join(job.task.tags),
        "group": _groups(brief.groups), "before": _before(brief.before), "attempts": _why(job),
        "messages": messages_text(brief.messages, brief.names or {}),
        "end": _END_SELF if teller.must_report else _END_EXIT,
    })  # fmt: skip


def errand_prompt(teller: Teller, messages: Sequence[Message], names: Mapping[str, str]) -> str:
    """Write the prompt of a round that has messages and no task."""
    return fill(ERRAND, {**_who(teller), "messages": messages_text(messages, names)})


NAMES: Final = frozenset({
    "agent", "town", "role", "tt", "task", "uuid", "description", "tags", "group", "before",
    "attempts", "messages", "end",
})  # fmt: skip
"""The names that a template of the user's may use."""


def check_template(template: str, where: str) -> None:
    """Raise UsageError where a template has a name that stands for nothing."""
    for found in _NAME.finditer(template):
        name = found[1] or found[2]
        if name not in NAMES:
            known = ", ".join(sorted(NAMES))
            raise UsageError(
                f"{where}: nothing is known by the name `{{{{{name}}}}}`.", f"Names: {known}."
            )


def fill(template: str, texts: Mapping[str, str]) -> str:
    """Put texts in the place of names; a line that is only the name of nothing goes away."""

    def put(found: re.Match[str]) -> str:
        alone, inside = found[1], found[2]
        if inside:
            return texts.get(inside, found[0])
        text = texts.get(alone)
        if text is None:
            return found[0]
        ending = found[0][found[0].rindex("}") + 1 :].lstrip(" \t")
        return text.rstrip() + ending if text.strip() else ""

    filled = _NAME.sub(put, template).replace("\0", "\ufffd").rstrip() + "\n"
    return filled.encode("utf-8", "replace").decode()


def messages_text(messages: Sequence[Message], names: Mapping[str, str]) -> str:
    """Write what others have said, each with its sender and kind."""
    if not messages:
        return ""
    told = [_message(message, names) for message in messages[:MOST_MESSAGES]]
    return "\n\n".join(["# Messages to you", *told])


def _message(message: Message, names: Mapping[str, str]) -> str:
    said = "\n".join(text for value in message.content.values() if (text := _plain(value)).strip())
    sender = names.get(message.sender, message.sender)
    return f"From {_line(sender)} ({_line(message.kind)}):\n\n{quoted(said)}"


def _plain(value: object) -> str:
    if isinstance(value, str):
        return value
    from json import dumps

    return dumps(value, ensure_ascii=False)


def _who(teller: Teller) -> dict[str, str]:
    parts = [f"Your role: {_line(teller.role)}."] if teller.role else []
    if teller.branch:
        where = f"You work in a Git worktree of your own, on the branch `{_line(teller.branch)}`"
        parts.append(f"{where}: commit there what you have done.")
    role = " ".join(parts)
    return {"agent": teller.agent, "town": teller.town, "role": role, "tt": teller.tt}


def _groups(groups: Sequence[Job]) -> str:
    if not groups:
        return ""
    lines = [f"- `{group.task.id}`: {_line(group.task.description)}" for group in groups]
    return "\n".join(["# What it is a part of", "", *lines])


def _before(jobs: Sequence[Job]) -> str:
    if not jobs:
        return ""
    told = []
    for job in jobs[-_MOST_BEFORE:]:
        head = f"`{job.task.id}` ({job.state}): {_line(job.task.description)}"
        told.append(f"{head}\n\n{quoted(job.result)}" if job.result else head)
    return "\n\n".join(["# What came before", *told])


def _why(job: Job) -> str:
    if not job.why:
        return ""
    return f"# The attempt before this one\n\nIt ended without success:\n\n{quoted(job.why)}"


def quoted(text: str) -> str:
    """Quote what somebody else wrote, shortened where it is endless."""
    short = text if len(text) <= _LONGEST else text[:_LONGEST] + " […]"
    return "\n".join(f"> {line}".rstrip() for line in short.splitlines()) or "> "


def _line(text: str) -> str:
    return " ".join(text.split())[:_LONGEST]
