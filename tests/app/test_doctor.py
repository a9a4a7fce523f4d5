"""What facts give reason to say: each fault is a finding with a next step, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tt.app.doctor_git import git_findings, hook_findings, plan_in_git
from tt.app.doctor_redis import redis_findings, town_findings
from tt.core.githooks import DriverState, HooksReport, HookState
from tt.core.health import Finding, GitFacts, RedisFacts
from tt.core.model import Plan
from tt.core.report import Duplicate, Fault, StatusReport
from tt.core.shim import EVENTS
from tt.record import replace

GIT = GitFacts(
    version="2.39.5", new_enough=True, branch="main", operation=None, tracked=True, ignored="",
    hidden="", unmerged=False, mirrors=(), others=(), configs=(),
)  # fmt: skip
REDIS = RedisFacts(
    version="Redis 7.2", replica=False, keeps="aof", failing=False, policy="noeviction",
    expiring=0, branch="main",
)  # fmt: skip
HOOKS = HooksReport(
    Path("/hooks"), "repository", tuple(HookState(event, "file", True) for event in EVENTS),
    DriverState(True, "tt"),
)  # fmt: skip
STATUS = StatusReport("town", "main", "tasks.toml", "unix:///s", Plan())


def bad(findings: list[Finding]) -> list[tuple[str, str]]:
    """Return what is not as it should be; all of it has to come with a next step."""
    found = [finding for finding in findings if finding.state != "ok"]
    assert all(finding.hint for finding in found)
    return [(finding.check, finding.state) for finding in found]


def test_nothing_is_found_where_all_is_well() -> None:
    assert bad([*git_findings(GIT, fixed=True), *plan_in_git(GIT, "tasks.toml")]) == []
    assert bad([*redis_findings(REDIS, "unix:///s")]) == []
    assert bad([*hook_findings(HOOKS, ())]) == []
    assert bad([*town_findings(STATUS, "main", synced=True)]) == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"new_enough": False}, ("git.version", "fail")),
        ({"branch": None}, ("git.branch", "warn")),
        ({"operation": "rebase"}, ("git.branch", "warn")),
        ({"mirrors": ("a", "b")}, ("git.mirror", "warn")),
        ({"others": ("/a",)}, ("git.worktrees", "warn")),
        ({"unmerged": True}, ("plan.git", "fail")),
        ({"hidden": "skip-worktree"}, ("plan.git", "warn")),
        ({"tracked": False}, ("plan.git", "warn")),
        ({"tracked": False, "ignored": "x"}, ("plan.git", "warn")),
    ],
)
def test_every_fault_of_a_worktree_is_found(
    change: dict[str, object], found: tuple[str, str]
) -> None:
    facts = replace(GIT, **change)
    assert bad([*git_findings(facts, fixed=True), *plan_in_git(facts, "tasks.toml")]) == [found]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"replica": True}, [("redis.role", "warn")]),
        ({"failing": True}, [("redis.persistence", "fail")]),
        ({"keeps": "nothing"}, [("redis.persistence", "warn")]),
        ({"keeps": "rdb"}, []),
        ({"keeps": ""}, []),
        ({"policy": "allkeys-lfu"}, [("redis.eviction", "warn")]),
        ({"policy": "volatile-lru"}, []),
        ({"expiring": 2}, [("redis.expiry", "warn")]),
    ],
)
def test_every_fault_of_a_server_is_found(
    change: dict[str, object], found: list[tuple[str, str]]
) -> None:
    assert bad([*redis_findings(replace(REDIS, **change), "unix:///s")]) == found


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ({"reached": False, "note": "is not executable"}, ("hooks.reached", "fail")),
        ({"how": "stale"}, ("hooks.version", "warn")),
        ({"note": "/old/tt is gone"}, ("hooks.program", "warn")),
    ],
)
def test_every_fault_of_a_hook_is_found(change: dict[str, object], check: tuple[str, str]) -> None:
    first, *others = HOOKS.hooks
    report = replace(HOOKS, hooks=(replace(first, **change), *others))
    (finding,) = [one for one in hook_findings(report, ()) if one.state != "ok"]
    assert (finding.check, finding.state) == check
    assert first.event in finding.message
    assert str(change.get("note", "")) in finding.message


def test_what_a_town_holds_that_cannot_be_used_is_found() -> None:
    fault, copy = Fault("k", "it is no UTF-8"), Duplicate("a", "k", "pending", "k2")
    report = replace(STATUS, faults=(fault,), duplicates=(copy, copy))
    found = [*town_findings(report, "main", synced=True)]
    assert bad(found) == [("town.faults", "warn"), ("town.copies", "warn")]
    assert found[-1].message == "2 second copies of tasks."
