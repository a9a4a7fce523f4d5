"""`tt inbox` and `tt send`: messages between agents, and to and from people."""

from __future__ import annotations

import os
from typing import cast
from uuid import uuid4

import click

from tt.cli.complete import complete_agent
from tt.cli.options import json_option
from tt.cli.reporting import utf8
from tt.cli.screen import Flags, answer, examples
from tt.core.messages import Message, Priority
from tt.core.myself import Myself
from tt.errors import UsageError


@click.command(
    epilog=examples(
        "tt inbox                what is there for you",
        "tt inbox developer      what waits for an agent",
        "tt inbox --all          what waits for anybody",
        "tt inbox --clear        show yours, and take it out",
    )
)
@click.argument("agent", required=False, default="", shell_complete=complete_agent)
@click.option("--all", "-a", "every", is_flag=True, help="The inboxes of all agents, and yours.")
@click.option("--clear", is_flag=True, help="Take out of your own inbox what is shown.")
@json_option
@click.pass_obj
def inbox(flags: Flags, /, agent: str, *, every: bool, clear: bool, as_json: bool) -> None:
    """Look at an inbox; nothing is taken out. Agents read their own by themselves.

    Without AGENT it is that of whoever asks: an agent's own, or a person's, where agents tell what
    became of tasks (it is called `supervisor`).
    """
    from tt.app import post
    from tt.render.mail import mailbox_data, mailbox_lines, mailboxes_lines

    if every and agent:
        raise UsageError("Either one AGENT or --all.")
    if clear and (every or agent):
        raise UsageError("--clear is for your own inbox: it takes neither AGENT nor --all.")
    with flags.project() as project:
        if every:
            found = post.inboxes(project.workshop)
        else:
            found = [post.inbox(project.workshop, Myself.of(os.environ), utf8(agent))]
        cleared = post.clear(project.workshop, found[0]) if clear else 0
    if every:
        data: object = {"inboxes": [mailbox_data(one) for one in found]}
        answer(flags, data, lambda look: mailboxes_lines(found, look), as_json=as_json)
        return
    data = {**mailbox_data(found[0]), "cleared": cleared}
    shown = len(found[0].messages) if clear else 10
    answer(flags, data, lambda look: mailbox_lines(found[0], look, shown), as_json=as_json)


@click.command(
    epilog=examples(
        'tt send developer "Look at the login form, too"       work to be done',
        'tt send architect --query "Which tables?"             a question',
        'tt send reviewer --info "Branch is main" --urgent     read before everything else',
        "tt send architect --ack approved                      an answer",
    )
)
@click.argument("to", shell_complete=complete_agent)
@click.argument("text")
@click.option("--from", "sender", default="", metavar="AGENT", help="Whom it is from.",
              shell_complete=complete_agent)  # fmt: skip
@click.option("--query", "sort", flag_value="query", help="It is a question.")
@click.option("--info", "sort", flag_value="info", help="It only tells something.")
@click.option("--ack", "sort", flag_value="ack",
              help="received, acknowledged, thanks, approved, or `rejected: why`.")  # fmt: skip
@click.option("--urgent", is_flag=True, help="It is read before the rest of the inbox.")
@json_option
@click.pass_obj
def send(
    flags: Flags, /, to: str, text: str, *, urgent: bool, as_json: bool, **how: str | None
) -> None:
    """Send a message to an agent; without an option it is work to be done.

    It is from whoever sends it: an agent, or the person (`supervisor`).
    """
    from tt.adapters.clock import SystemClock
    from tt.app import post
    from tt.render.mail import message_data, sent_lines

    kind, content = post.content_of(cast("post.Sort", how["sort"] or "task"), utf8(text))
    sender = utf8(how["sender"] or "") or Myself.of(os.environ).sender
    priority = Priority.URGENT if urgent else Priority.NORMAL
    message = Message(str(uuid4()), sender, utf8(to), kind, content, priority)
    with flags.project() as project:
        sent, by, name = post.send(project.workshop, SystemClock(), message)
    answer(flags, message_data(sent), lambda look: sent_lines(sent, by, name), as_json=as_json)
