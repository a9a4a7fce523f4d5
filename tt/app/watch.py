"""Watching one plan: when it is synced, and when that waits.

Events only say that it may be worth while to look. What is true is read: the plan's stamp, then
its digest, then everything. So a lost event is a delay until the next pulse, and a false one is
nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tt.app.look import View
from tt.app.outlook import Outlook, Synced
from tt.app.telling import Telling
from tt.core.diff import Change, Edited, Removed
from tt.core.pace import LONGEST, PATIENCE, Pace
from tt.core.values import ABSENT
from tt.core.watching import Event, Happening, Stamp
from tt.errors import LockedError, NoTownError, PlanError, StoreError, TTError

PULSE: Final = 2.0
"""Seconds between two looks at the plan's stamp, which cost next to nothing."""
BLIND_PULSE: Final = 0.5
"""The same where nobody tells of a save."""
BLIND_DEBOUNCE: Final = 1.0
"""How long a plan must be as it is where nobody tells whether it is still being written."""
DOUBT: Final = 2.0
"""Seconds for which a plan must be as it is before it takes anything away, or counts as broken."""
SAY: Final = 3.0
"""Seconds after which a look that is put off is worth a word."""

_MISSED: Final = 3
"""After so many saves that only a pulse has seen, events are not to be relied on."""
_PING: Final = 15.0
_DEAF_PULSE: Final = 5.0
_ANSWER: Final = 0.25
_FIRST_RETRY, _LAST_RETRY, _SLOW_RETRY = 0.5, 5.0, 60.0


class _TooEarlyError(TTError):
    """The plan may be half of one: it takes something away and has only just been written."""


class _InTheWayError(TTError):
    """Git has begun to move, after we had looked that it does not."""


class Watch:
    """The watcher of one plan. Everything happens in `step`, in one thread, by one `clock`."""

    def __init__(
        self, outlook: Outlook, telling: Telling, clock: Callable[[], float], debounce: float
    ) -> None:
        """Begin with a look: it sees what happened while nobody watched."""
        self._outlook, self._telling, self._clock = outlook, telling, clock
        self._debounce = debounce
        self._pace = Pace(debounce)
        self._pace.wake(clock())
        self._wanted = True
        """Whether there is more to look for than what the file says."""
        self._saved = False
        """Whether somebody told of a save: then the stamp is not asked, which counts in ticks."""
        self._by_git = False
        self._dealt: Stamp | None = None
        self._seen: Stamp | None = None
        self._digest: str | None = None
        self._doubt: tuple[Stamp, float] | None = None
        self._held: float | None = None
        self._retry = _FIRST_RETRY
        self._is_contested = False
        """Whether conflicts stand: somebody may end them in Redis, of which no save tells."""
        self._missed = 0
        self._pulse_every = PULSE
        self._next_pulse = self._next_ping = clock()

    @property
    def due(self) -> float:
        """When to call `step` next, at the latest."""
        due = self._pace.due
        return self._next_pulse if due is None else min(self._next_pulse, due)

    @property
    def is_pending(self) -> bool:
        """Whether something happened that was not dealt with yet, and can be soon."""
        due = self._pace.due
        if due is None or self._telling.trouble is Event.OFFLINE:
            return False
        return due - self._clock() <= PATIENCE

    @property
    def is_at_rest(self) -> bool:
        """Whether both sides were in step when they were looked at last, and no news came."""
        return self._digest is not None and self._pace.due is None and not self._telling.trouble

    def happened(self, what: Happening) -> None:
        """Take note of what happened around the plan."""
        if what is Happening.GIT:
            self._by_git = True
        else:
            self._saved = True
            self._missed = 0
        self._pace.happened(what, self._clock())

    def rung(self) -> None:
        """Take note that Redis has something to say."""
        try:
            if self._outlook.heard():
                self._want(_ANSWER)
        except StoreError:
            self._want(0)

    def look_again(self) -> None:
        """Look at the plan's stamp in the next step, whether somebody told of a save or not."""
        self._next_pulse = self._clock()

    def woke(self) -> None:
        """Take note that the machine slept: nothing that was known need be so any more."""
        self._next_pulse = self._next_ping = self._clock()
        self._want(0)

    def step(self) -> None:
        """Do what is due."""
        now = self._clock()
        if now >= self._next_pulse:
            self._pulse(now)
        if self._pace.due is not None and now >= self._pace.due:
            self._look(now)

    def _want(self, seconds: float) -> None:
        self._wanted = True
        self._pace.wake(self._clock() + seconds)

    def _pulse(self, now: float) -> None:
        """See what nobody told: an event was lost, or none come here."""
        blind = self._outlook.look_out()
        if blind is None and self._missed >= _MISSED:
            blind = "no events come from its filesystem"
        self._pulse_every = PULSE if blind is None else BLIND_PULSE
        self._pace.debounce = max(self._debounce, BLIND_DEBOUNCE) if blind else self._debounce
        self._pace.longest = PATIENCE if blind else LONGEST
        if blind is not None:
            self._telling.once(Event.BLIND, blind)
        self._notice(now, blind)
        if now >= self._next_ping:
            self._ping(now)
        self._next_pulse = now + self._pulse_every

    def _notice(self, now: float, blind: str | None) -> None:
        """Take a stamp that is another one for a save, where nobody told of any."""
        stamp, known, before = self._outlook.stamp(), self._dealt, self._seen
        self._seen = stamp
        if self._pace.due is not None and (blind is None or stamp == before):
            return
        if stamp != known:
            if known is not None and stamp.plan != known.plan and blind is None:
                self._missed += 1
            self._pace.happened(Happening.SAVED, now)

    def _ping(self, now: float) -> None:
        """Make sure that Redis would tell; where it cannot, look from time to time."""
        self._next_ping = now + _PING
        if self._telling.trouble is Event.OFFLINE:
            return
        try:
            listening = self._outlook.is_listening()
        except StoreError:
            self._want(0)
            return
        self.rung()  # what came during the ping rings no bell
        if self._dealt is None:
            return
        if self._is_contested or not listening:
            self._want(0)
        if self._outlook.two_way and not listening:
            self._next_ping = now + _DEAF_PULSE
            why = f"it cannot tell of changes, and is asked every {_DEAF_PULSE:g} seconds"
            self._telling.once(Event.DEAF, why)

    def _look(self, now: float) -> None:
        stamp = self._outlook.stamp()
        if stamp == self._dealt and not (self._wanted or self._saved):
            self._pace.looked()
            return
        reason = self._outlook.in_the_way()
        if reason is not None:
            self._hold(TTError(reason), now)
        elif stamp.plan is None:
            self._absent(stamp)
        elif self._says_the_same(stamp):
            self._deal_with(stamp)
        else:
            self._sync(stamp, now)

    def _says_the_same(self, stamp: Stamp) -> bool:
        """Say whether only times have changed, or Git put back what was there."""
        known = self._dealt
        if known is None or self._wanted or self._digest is None:
            return False
        if (known.head, known.settings) != (stamp.head, stamp.settings):
            return False
        return self._outlook.digest() == self._digest

    def _deal_with(self, stamp: Stamp) -> None:
        self._dealt = stamp
        self._wanted = self._saved = self._by_git = False
        self._held = None
        self._pace.looked()

    def _hold(self, why: TTError, now: float) -> None:
        """Look again soon; say so where it takes long."""
        self._pace.hold(now)
        if self._held is None:
            self._held = now
        if now - self._held >= SAY:
            self._telling.troubled(Event.WAITING, why)

    def _absent(self, stamp: Stamp) -> None:
        """Without a plan nothing happens at all; many editors leave none for a moment."""
        if not self._is_too_early(stamp):
            why = TTError(f"There is no {self._outlook.file} here.", "It is synced when there is.")
            self._telling.troubled(Event.ABSENT, why)
            self._digest = None
            self._deal_with(stamp)

    def _sync(self, stamp: Stamp, now: float) -> None:
        try:
            done = self._outlook.sync(
                lambda view: self._checked(view, stamp),
                by_git=self._by_git and not self._wanted,
                is_edited=stamp != self._dealt,
            )
        except _TooEarlyError:
            pass  # another look is due already
        except (LockedError, _InTheWayError) as error:
            self._hold(error, now)
        except StoreError as error:
            self._offline(error)
        except PlanError as error:
            self._invalid(error, stamp)
        except NoTownError as error:
            why = TTError(error.message, "The first edit of the plan makes it.")
            self._set_aside(Event.WAITING, why, stamp)
        except TTError as error:
            self._set_aside(Event.REFUSED, error, stamp)
        else:
            self._done(done, stamp)

    def _checked(self, view: View, stamp: Stamp) -> View:
        """Return `view`; raise where it is not to be trusted.

        A Git command may have begun since we looked for one: then it may be a plan of another
        branch. What takes something away may be half a plan.
        """
        reason = self._outlook.in_the_way()
        if reason is not None or self._outlook.stamp().head != stamp.head:
            raise _InTheWayError(reason or "Another branch was checked out meanwhile.")
        if any(map(_takes_away, view.outcome.to_store)) and self._is_too_early(stamp):
            raise _TooEarlyError("The plan was only just written.")
        return view

    def _is_too_early(self, stamp: Stamp) -> bool:
        """Say whether the plan was another one a moment ago; then a look is due when it was not."""
        now = self._clock()
        if self._doubt is None or self._doubt[0] != stamp:
            self._doubt = (stamp, now)
        until = self._doubt[1] + DOUBT
        if now < until:
            self._pace.put_off(until)
        return now < until

    def _offline(self, error: StoreError) -> None:
        """Try again, less and less often; the plan keeps what is saved meanwhile."""
        self._telling.troubled(Event.OFFLINE, error)
        self._wanted = True
        self._pace.put_off(self._clock() + self._retry)
        self._retry = min(self._retry * 2, _LAST_RETRY)

    def _invalid(self, error: PlanError, stamp: Stamp) -> None:
        if not self._is_too_early(stamp):
            self._telling.troubled(Event.INVALID, error, self._outlook.digest())
            self._digest = None
            self._deal_with(stamp)

    def _set_aside(self, event: Event, why: TTError, stamp: Stamp) -> None:
        """Wait for another plan; and try now and then, as what is wrong may be elsewhere."""
        self._telling.troubled(event, why)
        self._digest = None
        self._deal_with(stamp)
        self._want(_SLOW_RETRY)

    def _done(self, done: Synced, stamp: Stamp) -> None:
        self._telling.over()
        self._telling.synced(done.report)
        self._retry = _FIRST_RETRY
        self._is_contested = bool(done.report.conflicts)
        if done.report.to_file or done.report.named:
            stamp = self._own(stamp, done)
        self._digest = done.digest
        self._deal_with(stamp)

    def _own(self, stamp: Stamp, done: Synced) -> Stamp:
        """Return the stamp of what the sync wrote, unless somebody has saved since."""
        now = self._outlook.stamp()
        return now if self._outlook.digest() == done.digest else stamp


def _takes_away(change: Change) -> bool:
    if isinstance(change, Edited):
        return change.new is ABSENT
    return isinstance(change, Removed)
