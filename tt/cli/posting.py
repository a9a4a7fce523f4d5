"""A watcher at its post: who it is, who waits for it to begin, and where its words go."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tt.adapters.processes import this_host
from tt.adapters.starter import Starter
from tt.adapters.watchlog import WatchLog
from tt.adapters.watchpost import WatchPost
from tt.bootstrap import every_post
from tt.cli.screen import Flags
from tt.config.settings import tt_home
from tt.core.times import rfc3339
from tt.core.watcher import Watcher, WatchState
from tt.errors import TTError

_STANDBY: Final = 2.0
"""Seconds between two looks of a service whether the post is free."""


def watch_here(flags: Flags, *, two_way: bool | None, every: bool, as_json: bool) -> int:
    """Watch until a signal says to end. Raises TTError where that cannot begin."""
    starter = Starter(os.environ)
    try:
        post, way = _post(flags, two_way, every=every)
        watcher = _watcher(post, starter, way, every=every)
        with _at(post, watcher, starter), _speaking(post.log, starter):
            from tt.cli.watching import run_watch

            if every:  # there may be no plan yet that could have news
                post.note(WatchState("watching"))
            as_json = as_json and starter.how == "foreground"
            return run_watch(flags, two_way=two_way, every=every, as_json=as_json, post=post)
    except TTError as error:
        starter.failed(error)
        raise


def _post(flags: Flags, two_way: bool | None, *, every: bool) -> tuple[WatchPost, bool | None]:
    """Return the post, and which way it is watched from there."""
    if every:
        return every_post(tt_home(os.environ)), two_way
    with flags.project() as project:
        project.register()
        said = project.config.flag("watch.two_way")
        return project.watch_post, said if two_way is None else two_way


def _watcher(post: WatchPost, starter: Starter, two_way: bool | None, *, every: bool) -> Watcher:
    return Watcher(
        pid=os.getpid(),
        started=rfc3339(time.time_ns()),
        how=starter.how,
        two_way=two_way,
        every=every,
        log="" if starter.how == "foreground" else str(post.log),
        host=this_host(),
    )


@contextmanager
def _at(post: WatchPost, watcher: Watcher, starter: Starter) -> Iterator[None]:
    """Hold the post; a service waits until it is free, or it would be started again and again."""
    while starter.how == "service" and (other := post.holder()) is not None:
        starter.begun(WatchState("waiting", f"another watcher is at work: pid {other.pid}"))
        time.sleep(_STANDBY)
    with post.taken(watcher, listener=starter.begun):
        yield


@contextmanager
def _speaking(log: Path, starter: Starter) -> Iterator[None]:
    """Send all that is said to the log, with the time, where there is no terminal for it."""
    if starter.how == "foreground":
        yield
        return
    before = sys.stdout, sys.stderr
    try:
        words = WatchLog(log)
    except OSError as error:
        raise TTError(f"The log {log} cannot be written: {error.strerror}.") from error
    sys.stdout = sys.stderr = words
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
