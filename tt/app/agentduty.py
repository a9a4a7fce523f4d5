"""What an agent is for, and what it works with."""

from __future__ import annotations

from collections.abc import Callable

from tt.app.agentports import Ears, Journal, Workbench
from tt.core.clis import Cli
from tt.core.prompts import Teller
from tt.ports import Clock
from tt.record import record
from tt.workports import Workshop


@record
class Duty:
    """What an agent is for. `rounds` is how many it works, 0 without end; `timeout` what a task may
    take that has none of its own, 0 for ever. `template` is the prompt's."""

    cli: Cli
    teller: Teller
    template: str
    rounds: int = 0
    timeout: float = 0.0


@record
class Means:
    """What an agent works with. `new_id` makes a random uuid."""

    shop: Workshop
    bench: Workbench
    ears: Ears
    journal: Journal
    clock: Callable[[], float]
    wall: Clock
    new_id: Callable[[], str]
