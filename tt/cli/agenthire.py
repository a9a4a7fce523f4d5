"""Hiring an agent: it is enlisted in its town, and wired to Redis and to its program."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from tt.adapters.agentcli import Bench, Place, own_words
from tt.adapters.clock import SystemClock
from tt.adapters.lives import born_of
from tt.adapters.processes import this_host
from tt.adapters.redis.earshot import Earshot, prefixes_of
from tt.adapters.redis.identifiers import new_uuid
from tt.app.agent import AgentLoop
from tt.app.agentduty import Duty, Means
from tt.cli.agentkeeper import end_what_is_left_of, own_servers
from tt.cli.agentorders import Orders, agent_environment, logs_of
from tt.cli.screen import say, warn
from tt.config.clis import prompt_template
from tt.core.agents import Agent, AgentState
from tt.core.clis import Cli, Reporting
from tt.core.prompts import Teller
from tt.errors import StoreError
from tt.record import replace
from tt.render.text import safe

if TYPE_CHECKING:
    from tt.bootstrap import Project


def hire(project: Project, orders: Orders, cli: Cli, *, echo: bool) -> tuple[AgentLoop, Earshot]:
    """Enlist an agent; return its loop, and its ears, which are to be closed. With `echo` it shows
    what its program prints. Raises TTError."""
    config, shop = project.config, project.workshop
    uuid = orders.uuid or new_uuid()
    bench = _bench(project, orders, cli, uuid, echo=echo)
    template = prompt_template(config)
    me = shop.enlist(_agent(project, orders, uuid, cli.name))
    if orders.uuid:
        end_what_is_left_of(uuid)
    teller = Teller(me.name, me.role, shop.town, own_words(), cli.report is Reporting.SELF,
                    orders.branch)  # fmt: skip
    journal = _Journal(project, me.uuid)
    listen = partial(project.reach.listen, shop.town, prefixes_of(me.uuid))
    ears = Earshot(me.uuid, listen, journal)
    means = Means(shop, bench, ears, journal, time.monotonic, SystemClock(), new_uuid)
    duty = Duty(cli, teller, template, orders.rounds, orders.timeout)
    return AgentLoop(me, duty, means), ears


def _bench(project: Project, orders: Orders, cli: Cli, uuid: str, *, echo: bool) -> Bench:
    config = project.config
    place = Place(config.root, logs_of(project), own_servers())
    environment = agent_environment(project, uuid, orders.name, orders.worktree)
    bench = Bench(orders.name, cli, place, environment, _echo if echo else None)
    bench.grace = config.seconds("agents.grace")
    return bench


def _agent(project: Project, orders: Orders, uuid: str, cli: str) -> Agent:
    """Describe the agent; one that works again keeps what is known of it."""
    known = project.workshop.agent(uuid) if orders.uuid else None
    before = known or Agent(uuid, orders.name, AgentState.STARTING)
    return replace(
        before,
        state=AgentState.STARTING,
        cli=cli,
        role=orders.role or before.role,
        nickname=orders.nickname or before.nickname,
        parent=orders.parent or before.parent,
        current_task="",
        lease=project.config.seconds("conductor.lease"),
        host=this_host(),
        pid=os.getpid(),
        born=born_of(os.getpid()),
    )


def _echo(data: bytes) -> None:
    """Show what the program prints, without what could rewrite a terminal."""
    say(safe(line) for line in data.decode("utf-8", "replace").splitlines())


class _Journal:
    """Says what the agent does: in its log, or on its terminal, and some of it to the town."""

    def __init__(self, project: Project, uuid: str) -> None:
        self._project, self._uuid = project, uuid

    def __call__(self, line: str, *, activity: bool = False) -> str:
        """Say one line; return it without what could rewrite a terminal."""
        said = safe(line)
        warn([said])
        if activity:
            with suppress(StoreError):  # it is for whoever looks on just now
                self._project.workshop.log(self._uuid, said)
        return said
