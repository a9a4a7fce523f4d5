"""Everything that keeps a plan and its town from being in step, looked at once; only reads.

Each check stands for itself: what one stumbles over is its finding, and the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from tt.app.doctor_git import git_findings, hook_findings, plan_in_git
from tt.app.doctor_redis import redis_findings, town_findings
from tt.app.site import Site
from tt.app.status import status
from tt.core.githooks import HooksReport
from tt.core.health import Finding, GitFacts, Program, RedisFacts
from tt.core.report import StatusReport
from tt.core.watcher import Watching
from tt.errors import NotAPlanError, PlanError, StoreError, TTError
from tt.ports import BaseStore, PlanFile
from tt.record import record


@record
class Surroundings:
    """What there is to look at, as functions that may raise TTError.

    `advice` is what the settings give reason to say, as sentence and hint. `git` and `hooks` are
    None without Git. `redis` returns None where the built-in server is not running. `fixed` says
    that the town's name is the same on every branch.
    """

    file: PlanFile
    fixed: bool
    advice: Callable[[], Sequence[tuple[str, str]]]
    program: Callable[[], Program]
    git: Callable[[], GitFacts] | None
    hooks: Callable[[], HooksReport] | None
    redis: Callable[[], RedisFacts | None]
    address: Callable[[], str]
    bases: Callable[[], BaseStore]
    site: Callable[[], Site]
    watching: Callable[[], Watching | None]


def examine(around: Surroundings) -> tuple[Finding, ...]:
    """Look at everything, and say of each thing how it is."""
    plan = [*_guarded("plan.file", lambda: _plan(around.file))]
    git = [*_guarded("git", lambda: _git(around))]
    store = [*_guarded("redis", lambda: _redis(around))]
    reached = any(finding.check == "redis.reached" for finding in store)
    town: list[Finding] = []
    if reached and plan[0].state == "ok":
        town += _guarded("town", lambda: _town(around))
    return (
        *_guarded("settings", lambda: _settings(around)),
        *_guarded("program", lambda: _program(around.program())),
        *plan,
        *git,
        *store,
        *_guarded("base", lambda: _base(around)),
        *_guarded("watch", lambda: _watch(around.watching())),
        *town,
    )


def _guarded(check: str, look: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    try:
        yield from look()
    except TTError as error:
        yield Finding(check, "fail", error.message, error.hint)


def _settings(around: Surroundings) -> Iterator[Finding]:
    advice = around.advice()
    for message, hint in advice:
        yield Finding("settings", "warn", message, hint or None)
    if not advice:
        yield Finding("settings", "ok", "Nothing is odd in the settings.")


def _program(found: Program) -> Iterator[Finding]:
    check = "program"
    if not found.path:
        hint = "Hooks look for it there, too: put it on the PATH, or run `tt hooks install`."
        yield Finding(check, "warn", "There is no `tt` on the PATH.", hint)
    elif found.same:
        yield Finding(check, "ok", f"{found.path} is this {found.version}.")
    else:
        what = f", which calls itself `{found.version}`" if found.version else ""
        yield Finding(
            check,
            "warn",
            f"The `tt` on the PATH is another one: {found.path}{what}.",
            "tinytown's program has the same name; `command -v tt` says which a shell takes.",
        )


def _plan(file: PlanFile) -> Iterator[Finding]:
    check = "plan.file"
    try:
        snapshot = file.read()
    except NotAPlanError as error:
        yield Finding(check, "warn", error.message, error.hint)
        return
    except PlanError as error:
        first = error.message.split("\n")[0]
        yield Finding(check, "fail", first, "`tt check` lists everything that is wrong in it.")
        return
    if snapshot is None:
        hint = "`tt plan --init` begins one."
        yield Finding(check, "warn", f"There is no {file.name}, so there is nothing to do.", hint)
        return
    yield Finding(check, "ok", f"{file.name} is a valid plan: {len(snapshot.plan.tasks)} tasks.")


def _git(around: Surroundings) -> Iterator[Finding]:
    if around.git is None:
        yield Finding(
            "git", "warn", "There is no Git worktree here: no hooks, no history.",
            "`git init` makes one; the plan is synced without, too.",
        )  # fmt: skip
        return
    facts = around.git()
    yield from git_findings(facts, fixed=around.fixed)
    if around.file.exists():
        yield from plan_in_git(facts, around.file.name)
    if around.hooks is not None:
        report = around.hooks
        yield from _guarded("hooks", lambda: hook_findings(report(), facts.configs))


def _redis(around: Surroundings) -> Iterator[Finding]:
    address = around.address()
    facts = around.redis()
    if facts is None:
        yield Finding(
            "redis", "ok", f"The built-in Redis at {address} is not running; tt starts it."
        )
        return
    yield from redis_findings(facts, address)


def _watch(found: Watching | None) -> Iterator[Finding]:
    if found is None:
        yield Finding("watch", "ok", "Nobody watches the plan; `tt watch` does.")
        return
    who, state = f"A watcher is at work here (pid {found.watcher.pid})", found.state
    if state is None or not state.problem:
        yield Finding("watch", "ok", f"{who}: {state.state if state else 'it has just begun'}.")
        return
    hint = "`tt watch --status` names its log." if found.watcher.log else None
    yield Finding("watch", "warn", f"{who}: {state.problem.rstrip('.')}.", hint)


def _base(around: Surroundings) -> Iterator[Finding]:
    base = around.bases().load()
    if base is None:
        yield Finding("base", "ok", "Nothing was synced from this worktree yet.")
    else:
        count = len(base.tasks)
        yield Finding("base", "ok", f"The base of the last sync can be read: {count} tasks.")


def _town(around: Surroundings) -> Iterator[Finding]:
    site, facts = around.site(), around.redis()
    report = _compared(site)
    synced = site.bases.load() is not None
    branch = facts.branch if facts else None
    yield from town_findings(report, branch, synced=synced)


def _compared(site: Site) -> StatusReport:
    report = status(site)
    if report.store_error is not None:
        raise StoreError(report.store_error, report.hint)
    return report
