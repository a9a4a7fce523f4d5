"""The plan at hand: a template to begin with, what an agent is told of it, and its tree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from tt.core.answers import Briefing, PlanView
from tt.core.groups import groups, tree
from tt.core.model import Plan
from tt.core.query import agent_of, parse_query, select
from tt.core.schema import SCHEMA_NAME
from tt.errors import PlanError
from tt.ports import PlanFile

TEMPLATE: Final = f"""\
#:schema ./{SCHEMA_NAME}

# The plan: what is to be done. Git keeps its history, `tt sync` keeps Redis in step with it.
# `tt plan` shows it, `tt check` says what is wrong in it.

[meta]
description = "What this plan is for"
# default_agent = "developer"     # who does the tasks that name no agent

# A task. Only the description is required; other keys of your own are kept as they are.
#
# [[tasks]]
# id = "login"                    # unique; letters, digits and . _ - / (made for you if missing)
# description = "Build the login page"
# agent = "developer"             # who does it
# status = "pending"              # pending, assigned, running, completed, failed or cancelled
# tags = ["backend"]              # words to filter by: tt plan tag:backend
#
# A task without an agent that others name as their parent is a group; it shows their progress.
#
# [[tasks]]
# id = "login-tests"
# description = "Test the login page"
# agent = "tester"
# parent = "login"                # the group it belongs to, or the stage before it
# depends_on = ["login"]          # what must be completed first
"""


def read_plan(file: PlanFile) -> Plan:
    """Read the plan. Raises PlanError where there is none or it is invalid."""
    snapshot = file.read()
    if snapshot is None:
        raise PlanError(f"There is no {file.name} here.", "Make one with `tt plan --init`.")
    return snapshot.plan


def view(file: PlanFile, words: Sequence[str]) -> PlanView:
    """Read the plan and lay it out as a tree, with a filter only what fits it."""
    query = parse_query(words)
    plan = read_plan(file)
    tasks = select(plan, query)
    rows = tree(plan, tasks if query else None)
    return PlanView(file.name, plan, rows, tasks, groups(plan))


def brief(file: PlanFile) -> Briefing:
    """Sum the plan up for somebody who has never seen it."""
    snapshot = file.read()
    plan = Plan() if snapshot is None else snapshot.plan
    counted = Counter(task.status for task in plan.tasks.values())
    agents = {agent_of(task, plan) for task in plan.tasks.values()} - {None}
    return Briefing(
        file.name,
        snapshot is not None,
        len(plan.tasks),
        counted,
        tuple(sorted(str(agent) for agent in agents)),
        groups(plan),
    )
