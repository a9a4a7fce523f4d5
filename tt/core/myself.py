"""Who runs a command: a person, or an agent's CLI at work on a task."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from tt.core.agents import SUPERVISOR
from tt.record import record

AGENT: Final = "TINYTOWN_AGENT_ID"
TASK: Final = "TT_TASK"
CLAIM: Final = "TT_CLAIM"
_UUID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


@record
class Myself:
    """The agent's uuid, the uuid of its task, and the claim of the attempt that is under way; all
    empty for a person. tinytown's agents have only the first."""

    agent: str = ""
    task: str = ""
    claim: str = ""

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Myself:
        """Find out from the environment of a process; what is no uuid is passed over."""
        agent, task = environ.get(AGENT, ""), environ.get(TASK, "")
        known = task if _UUID.fullmatch(task) else ""
        claim = environ.get(CLAIM, "") if known else ""
        return cls(agent if _UUID.fullmatch(agent) else "", known, claim)

    @property
    def sender(self) -> str:
        """Whom messages and tasks come from."""
        return self.agent or SUPERVISOR
