"""A worktree for a watcher to look at, in which time passes as the test says."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tt.app.look import View
from tt.app.outlook import Synced
from tt.app.telling import Telling
from tt.app.watch import Watch
from tt.core.base import Base
from tt.core.diff import Change
from tt.core.outcome import Outcome
from tt.core.report import Conflict, Direction, SyncReport
from tt.core.trees import StoreView, Terms
from tt.core.watching import Happening, News, Stamp
from tt.errors import StoreError, TTError
from tt.ports import StoreState

TOWN = "plan-main"


class PretendOutlook:
    """An `Outlook` whose every answer is an attribute. `synced` are the texts that were synced."""

    file = "tasks.toml"

    def __init__(self) -> None:
        self.text: str | None = "one"
        self.head = b"ref: refs/heads/main\n"
        self.ticks = 0
        self.busy: str | None = None
        self.blind: str | None = None
        self.two_way = False
        self.error: TTError | None = None
        self.changes: Sequence[Change] = ()
        self.conflicts: tuple[Conflict, ...] = ()
        self.town = TOWN
        self.listening = True
        self.told = False
        self.lost = False
        self.synced: list[str] = []
        self.by_git: list[bool] = []
        self.edited: list[bool] = []
        self.looks = 0
        self.before: Callable[[], None] = lambda: None
        self.during: Callable[[], None] = lambda: None

    def save(self, text: str | None) -> None:
        """Put another text into the file; the same one, too, has another time then."""
        self.text = text
        self.ticks += 1

    def stamp(self) -> Stamp:
        self.looks += 1
        return Stamp(None if self.text is None else (self.ticks,), self.head)

    def digest(self) -> str:
        return self.text or ""

    def in_the_way(self) -> str | None:
        return self.busy

    def sync(self, checked: Callable[[View], View], *, by_git: bool, is_edited: bool) -> Synced:
        self.edited.append(is_edited)
        self.by_git.append(by_git)
        text = self.text or ""
        if self.error is not None:
            raise self.error
        self.before()
        checked(view_of(self.changes))
        self.during()
        self.synced.append(text)
        done, self.changes = tuple(self.changes), ()
        report = SyncReport(
            direction=Direction.PUSH, town=self.town, file=self.file, in_step=1, to_store=done,
            conflicts=self.conflicts,
        )  # fmt: skip
        return Synced(report, text)

    def look_out(self) -> str | None:
        return self.blind

    def heard(self) -> bool:
        if self.lost:
            raise StoreError("The connection was lost.")
        told, self.told = self.told, False
        return told

    def is_listening(self) -> bool:
        if self.lost:
            raise StoreError("The connection was lost.")
        return self.listening


def view_of(changes: Sequence[Change]) -> View:
    """Return a view of which only the changes for Redis matter."""
    outcome = Outcome(to_store=list(changes))
    return View(
        None, Base(), None, StoreState(None, {}, {}), StoreView(), Terms(), outcome, frozenset()
    )


class Watched:
    """A watch over a pretended worktree, and the clock that it goes by."""

    def __init__(self, debounce: float = 0.1) -> None:
        self.now = 1000.0
        self.outlook = PretendOutlook()
        self.news: list[News] = []
        telling = Telling(self.outlook.file, self.news.append)
        self.watch = Watch(self.outlook, telling, lambda: self.now, debounce)

    @property
    def events(self) -> list[str]:
        """What was told, in a word each."""
        return [news.event.value for news in self.news]

    def save(self, text: str | None, what: Happening = Happening.SAVED) -> None:
        self.outlook.save(text)
        self.watch.happened(what)

    def wait(self, seconds: float) -> None:
        """Let time pass, and the watch do what comes due."""
        until = self.now + seconds
        for _ in range(10_000):
            if self.watch.due > until:
                break
            self.now = max(self.now, self.watch.due)
            self.watch.step()
        else:
            raise AssertionError("the watch never sleeps")
        self.now = until
