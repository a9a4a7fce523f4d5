"""The base: what file and store last agreed on, and where both stood then."""

from __future__ import annotations

from collections.abc import Mapping

from tt.core.model import EMPTY, Task
from tt.core.values import Value
from tt.record import field, record


@record
class Base:
    """The last *agreed* state of one worktree and one town, task by task and field by field.

    `deleted` are the ids whose removal both sides have agreed on. `uuids` names the Redis uuid of
    tasks that other tools made (all others have theirs computed from town and id). `seq` and
    `epoch` are the town's when the base was taken, `head` the commit that HEAD was, `repo` the
    identity under which the town accepted us. `version` is the base store's own token for the
    stored state that this was read from; it takes no part in comparisons.
    """

    meta: Mapping[str, Value] = field(default_factory=lambda: EMPTY)
    tasks: Mapping[str, Task] = field(default_factory=dict)
    deleted: frozenset[str] = frozenset()
    uuids: Mapping[str, str] = field(default_factory=dict)
    seq: int = 0
    epoch: str = ""
    head: str | None = None
    repo: str = ""
    version: str = field(default="", compare=False)
