"""The wiring of the conductor: a `Stage` on a real Redis, the plan's file and this machine.

What is dear to make again is kept: the connections, and the sight of the agents' processes. The
plan is committed, and agents are started, by commands of their own: neither a slow hook of the
user's nor a program that is not there keeps anybody waiting for a task.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Self

from tt.adapters.lives import Vigil
from tt.app.stage import Errand, Kind, Overheard
from tt.bootstrap import open_project
from tt.errors import StoreError, TrackingError, TTError

if TYPE_CHECKING:
    from tt.adapters.errandproc import ErrandProcess
    from tt.adapters.redis.tracking import Tracking
    from tt.bootstrap import Project
    from tt.core.agents import Agent
    from tt.workports import Workshop

_PREFIXES: Final = ("task:", "agent:", "alive:", "plan", "conductor")
_DEAF: Final = "It cannot tell what changes, and is asked every second: {}"


class Podium:
    """One town and this machine, as `tt.app.stage.Stage` has it; to be closed."""

    def __init__(self, project: Project, settings: Mapping[str, str]) -> None:
        """Take a project; `settings` are those flags of ours, as environment, that errands get."""
        self._project, self._settings = project, settings
        self._workshop = project.workshop
        self._tracking: Tracking | None = None
        self._deaf: str | None = None
        self._vigil = Vigil()
        self._errands: list[tuple[Kind, str, ErrandProcess]] = []

    @property
    def workshop(self) -> Workshop:
        """The town; see `Stage`."""
        return self._workshop

    def filenos(self, *, listens: bool, leads: bool) -> tuple[int, ...]:
        """What to wait on: errands always, the town for who listens to it, and the ends of agents'
        processes for who leads besides."""
        told = self._tracking.filenos if self._tracking and listens else ()
        ends = self._vigil.filenos if listens and leads else ()
        asked = (process.fileno() for _, _, process in self._errands)
        return (*told, *ends, *asked)

    def listen(self) -> str | None:
        """Have Redis tell what changes; see `Stage`."""
        if self._tracking is not None or self._deaf is not None:
            return self._deaf
        self._project.connection.execute("PING")  # which starts the user's own server if need be
        try:
            self._tracking = self._project.reach.listen(self._project.town, _PREFIXES)
        except TrackingError as error:
            self._deaf = _DEAF.format(error.message)
        return self._deaf

    def heard(self) -> Overheard:
        """Return what Redis told; see `Stage`."""
        if self._tracking is None:
            return Overheard()
        try:
            heard = self._tracking.heard()
        except StoreError:
            self._hang_up()
            raise
        keys = heard.keys
        agents = keys.get("agent", frozenset()) | keys.get("alive", frozenset())
        return Overheard(heard.uuids, agents, heard.town, "conductor" in keys, heard.lost)

    def check(self) -> None:
        """Make sure that Redis would tell; see `Stage`."""
        if self._tracking is None:
            return
        try:
            self._tracking.ping()
        except StoreError:
            self._hang_up()
            raise

    def order(self) -> Sequence[str]:
        """Return the plan's ids in the file's order; see `Stage`."""
        return plan_order(self._project)

    def dead(self, agents: Iterable[Agent]) -> Mapping[str, str]:
        """Return those whose processes are gone; see `Stage`."""
        return self._vigil.dead(agents)

    def spawn(self, name: str) -> None:
        """Begin to start an agent; see `Stage`."""
        if name.startswith("-"):
            raise TTError(f"An agent cannot be called `{name}`.")
        self._send("spawn", name, ["spawn", name, "--json"])

    def commit(self) -> None:
        """Begin to commit what Redis has; see `Stage`."""
        with open_project(str(self._project.config.root), {}) as now:
            if now.repository is None:
                raise TTError("There is no Git repository here to commit to.")
            if self._project.repository and (
                now.repository.state.branch != self._project.repository.state.branch
            ):
                raise TTError(
                    "Another branch was checked out, and its plan is another town's.",
                    "`tt commit` on this town's branch commits what Redis has.",
                )
        self._send("commit", "", ["commit", "--json"])

    def errands(self) -> Sequence[Errand]:
        """Return the errands that are over; see `Stage`."""
        over = [errand for errand in self._errands if errand[2].is_over()]
        self._errands = [errand for errand in self._errands if errand not in over]
        return [_came_of(*errand) for errand in over]

    def close(self) -> None:
        """Hear and see nothing any more; agents that are starting go on."""
        self._hang_up()
        self._vigil.close()
        for _, _, process in self._errands:
            process.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(self, kind: Kind, name: str, arguments: Sequence[str]) -> None:
        from tt.adapters.errandproc import ErrandProcess

        root = self._project.config.root
        self._errands.append((kind, name, ErrandProcess(arguments, self._settings, root)))

    def _hang_up(self) -> None:
        if self._tracking is not None:
            self._tracking.close()
            self._tracking = None


def plan_order(project: Project) -> Sequence[str]:
    """Return the ids of a plan in the order of its file; none where there is no valid one."""
    try:
        snapshot = project.plan_file.read()
    except TTError:
        return ()
    return () if snapshot is None else tuple(snapshot.plan.tasks)


def _came_of(kind: Kind, name: str, process: ErrandProcess) -> Errand:
    try:
        answer = process.answer()
    except TTError as error:
        return Errand(kind, name, error.message, error.hint or "")
    said = answer.get("subject") if answer.get("commit") else ""
    return Errand(kind, name, said=said if isinstance(said, str) else "")
