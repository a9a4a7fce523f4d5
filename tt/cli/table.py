"""Every command in one table, so that help and completion need import none of them."""

from __future__ import annotations

from typing import Final, NamedTuple


class Entry(NamedTuple):
    """Where a command is, as `module:attribute` below `tt.cli`, and what it does in a few words."""

    where: str
    about: str


SECTIONS: Final[dict[str, dict[str, Entry]]] = {
    "Everyday": {
        "plan": Entry("plan:plan", "Show the plan as a tree, or begin one."),
        "sync": Entry("sync:sync", "Bring tasks.toml and Redis in step."),
        "watch": Entry("watch:watch", "Sync each save at once, and what agents do."),
        "graph": Entry("graph:graph", "Draw what waits for what."),
        "epics": Entry("epics:epics", "Say how far groups are, and who is at them."),
        "status": Entry("status:status", "Show the town, its tasks, and what differs."),
        "commit": Entry("commit:commit", "Commit what Redis brought, and nothing else."),
        "check": Entry("check:check", "Say what is wrong in a plan; needs no Redis."),
    },
    "Agents and work": {
        "conductor": Entry("conductor:conductor", "Hand out tasks until all is done."),
        "ready": Entry("conductor:ready", "List the tasks that can be begun now."),
        "spawn": Entry("spawn:spawn", "Start an agent that works on tasks."),
        "worktree": Entry("worktree:worktree", "Let agents work in Git worktrees of their own."),
        "kill": Entry("calling:kill", "Ask an agent to stop."),
        "close": Entry("calling:close", "Let an agent finish what it has begun, and stop."),
        "interrupt": Entry("calling:interrupt", "Let an agent pause after its round."),
        "resume": Entry("calling:resume", "Let an agent go on that pauses."),
        "restart": Entry("spawn:restart", "Let an agent work again that has stopped."),
        "wait": Entry("calling:wait", "Wait until an agent has stopped."),
        "stop": Entry("calling:stop", "Ask all agents of this town to stop."),
        "list": Entry("staff:list_agents", "List the agents, and what each works on."),
        "task": Entry("task:task", "Report on tasks, look at them, write notes."),
        "assign": Entry("assign:assign", "Give a task to an agent."),
        "backlog": Entry("assign:backlog", "Keep tasks that nobody is to do yet."),
        "inbox": Entry("mail:inbox", "Look at the messages that wait for somebody."),
        "send": Entry("mail:send", "Send a message to an agent."),
        "history": Entry("happenings:history", "Tell what agents and people did here."),
        "events": Entry("happenings:events", "Print the town's events, or follow them."),
        "recover": Entry("staff:recover", "Give back what agents held that died."),
        "reclaim": Entry("staff:reclaim", "Give the work of agents that are gone to others."),
        "prune": Entry("staff:prune", "Remove agents that have stopped."),
        "start": Entry("keeping:start", "See that Redis is there, and what is in the town."),
        "save": Entry("keeping:save", "Write the whole town into a file."),
        "restore": Entry("keeping:restore", "Put a saved town back."),
        "reset": Entry("keeping:reset", "Empty this town in Redis, after saving it."),
    },
    "History": {
        "log": Entry("past:log", "Tell a task's life, or the plan's, from Git's history."),
        "diff": Entry("past:diff", "Show what changed in the plan, by task and field."),
        "blame": Entry("past:blame", "Say who touched each field of a task last."),
    },
    "Conflicts and second thoughts": {
        "conflicts": Entry("conflicts:conflicts", "List what the two sides disagree on."),
        "resolve": Entry("conflicts:resolve", "End a conflict for one side."),
        "reopen": Entry("conflicts:reopen", "Make a finished task pending again."),
        "undo": Entry("conflicts:undo", "Take a sync back, on both sides."),
        "dedupe": Entry("conflicts:dedupe", "Remove second copies of tasks from Redis."),
    },
    "Setting up": {
        "init": Entry("setup:init", "Make this directory a town."),
        "hooks": Entry("hooks:hooks", "Let Git sync by itself."),
        "config": Entry("setup:config", "Show settings and their origins, or change one."),
        "redis": Entry("redis:redis", "Look after the built-in Redis."),
        "doctor": Entry("doctor:doctor", "Say what keeps plan and Redis apart, and what to do."),
        "towns": Entry("towns:towns", "List the towns in this Redis, or prune them."),
        "migrate": Entry("migrate:migrate", "Take over what tinytown wrote before towns."),
        "demo": Entry("demo:demo", "Show the whole loop in a scratch directory."),
        "completion": Entry("completion:completion", "Complete commands and task ids on TAB."),
    },
    "For agents and editors": {
        "prime": Entry("plan:prime", "Tell an AI agent how to work with this plan."),
        "schema": Entry("plan:schema", "Print the JSON Schema of tasks.toml."),
    },
}
"""The commands by section, in the order of the help."""

COMMANDS: Final[dict[str, Entry]] = {
    name: entry for entries in SECTIONS.values() for name, entry in entries.items()
}
