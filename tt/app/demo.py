"""The story that `tt demo` plays: a plan, agents at work, an edit meanwhile, a conflict, its end.

Only the script is here. Whoever plays it runs the real commands in a scratch repository, and writes
to Redis what agents write.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

from tt.record import record

PLAN: Final = """\
[meta]
description = "User Profile Feature Pipeline"

# Epic (parent task)
[[tasks]]
id = "profile-epic"
description = "Implement user profile feature"
status = "pending"
tags = ["epic", "q1-2024"]

# Subtasks under the epic
[[tasks]]
id = "design"
description = "Design profile API schema"
agent = "architect"
status = "pending"
parent = "profile-epic"
tags = ["design"]

[[tasks]]
id = "implement"
description = "Implement profile endpoints"
agent = "developer"
status = "pending"  # the big one
parent = "profile-epic"
tags = ["backend"]

[[tasks]]
id = "test"
description = "Write profile API tests"
agent = "tester"
status = "pending"
parent = "profile-epic"
tags = ["testing"]

[[tasks]]
id = "review"
description = "Review profile implementation"
agent = "reviewer"
status = "pending"
parent = "profile-epic"
tags = ["review"]
"""

_DOCS_TASK: Final = """
[[tasks]]
id = "docs"
description = "Document the profile API"
agent = "developer"
depends_on = ["implement"]
"""


@record
class Say:
    """A paragraph for the person who watches."""

    text: str


@record
class Run:
    """A `tt` command, run for real and shown with its output; it must end with `expect`."""

    words: tuple[str, ...]
    expect: int = 0


@record
class Agent:
    """What an agent (or any other program) writes to a task's hash in Redis."""

    task: str
    fields: Mapping[str, str]


@record
class Edit:
    """What a person changes in the file with an editor: `old` becomes `new`, once."""

    old: str
    new: str


@record
class ShowDiff:
    """The difference between the committed plan and the file, as Git shows it."""


Scene: TypeAlias = Say | Run | Agent | Edit | ShowDiff


def scenes() -> Iterator[Scene]:
    """Yield the story, scene by scene."""
    yield Say("A repository with a plan: five tasks in tasks.toml, committed to Git.")
    yield Run(("plan",))
    yield Say("Push it. Redis now has the tasks, where agents are quick to take them.")
    yield Run(("sync", "push"))
    yield Say("Agents work, and write to Redis, not to your file …")
    yield Agent("design", {"state": "completed", "result": "schema.json is ready"})
    yield Agent("implement", {"state": "running"})
    yield Say("… while you go on editing the file: a better description, one more task.")
    yield Edit("Write profile API tests", "Write profile API tests, with a load test")
    yield Edit('tags = ["review"]\n', f'tags = ["review"]\n{_DOCS_TASK}')
    yield Run(("status",))
    yield Say("Merge. Each side gets what the other changed; nothing of either is lost.")
    yield Run(("sync", "merge"))
    yield Say("Now both change the same thing: a program in Redis, and you in the file.")
    yield Agent("review", {"description": "Review the profile code for security"})
    yield Edit("Review profile implementation", "Review profile implementation and docs")
    yield Run(("sync", "merge"), expect=3)
    yield Say("No rule can know who is right, so you say it. Only that field had to wait.")
    yield Run(("resolve", "review", "--file"))
    yield Say("The file again: what changed are these lines, comments and all else as they were.")
    yield ShowDiff()
    yield Run(("plan",))
