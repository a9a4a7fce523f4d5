"""What an agent is started with: its orders, where its logs are, and its program's environment.

The process of an agent imports this, and no click.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Final

from tt.adapters.proctree import DETACHED
from tt.adapters.starter import STARTED_AS
from tt.cli.screen import TOWN_DIR
from tt.core.myself import AGENT
from tt.record import as_dict, record

if TYPE_CHECKING:
    from pathlib import Path

    from tt.bootstrap import Project

NAME: Final = "agent-impl"
_OURS: Final = frozenset({STARTED_AS, DETACHED})
"""Variables that are about an agent's process, and none of its program's."""


@record
class Orders:
    """What an agent is started with. `uuid` is that of one that is to work again; `worktree` is
    where its program runs, if not in the plan's own one."""

    name: str
    cli: str = ""
    uuid: str = ""
    role: str = ""
    nickname: str = ""
    parent: str = ""
    rounds: int = 0
    timeout: float = 0.0
    how: str = "background"
    worktree: str = ""
    branch: str = ""


def words_for(orders: Orders) -> list[str]:
    """Return the arguments of `tt` that start an agent; there is no secret in them."""
    return [NAME, json.dumps({name: value for name, value in as_dict(orders).items() if value})]


def orders_in(words: list[str]) -> Orders:
    """Read the arguments that follow `NAME`."""
    return Orders(**json.loads(words[0]))


def logs_of(project: Project) -> Path:
    """Return the directory of agents' logs, which is tinytown's."""
    return project.config.root / ".tt" / "logs"


def agent_environment(project: Project, uuid: str, name: str, where: str = "") -> dict[str, str]:
    """Return what an agent's program has in its environment: `tt` in it means this very town.

    `where` is the directory that it runs in, if not the worktree's top.
    """
    from tt.adapters.gitfind import LOCAL_VARIABLES

    config = project.config
    kept = {
        name: text
        for name, text in os.environ.items()
        if name not in _OURS and name not in LOCAL_VARIABLES
    }
    return {
        **kept,
        "PWD": where or str(config.root),  # a shell would say so; we may have none between
        AGENT: uuid,
        "TINYTOWN_AGENT_NAME": name,
        "TT_NAME": project.town,
        TOWN_DIR: str(config.root),
        "TT_REDIS_URL": config.redis or "embedded",
    }
