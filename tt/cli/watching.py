"""Running a watcher: from what `tt watch` was called with to its end."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tt.cli.screen import Flags
from tt.cli.tower import Tower
from tt.cli.watchnews import Newsroom
from tt.errors import ExitCode
from tt.lookout import Where

if TYPE_CHECKING:
    from tt.adapters.watchpost import WatchPost


def run_watch(
    flags: Flags, *, two_way: bool | None, every: bool, as_json: bool, post: WatchPost
) -> int:
    """Watch the plan that the flags lead to, or `every` one that is registered, until a signal.

    `post` is held already, for all plans or for this one. `two_way` is None where each plan's own
    setting counts. Raises TTError where the plan cannot be watched at all.
    """
    gc.enable()  # this process is there to stay
    newsroom = Newsroom(flags, as_json=as_json, timed=not post.watcher.log, several=every)
    with Tower(newsroom, post) as tower:
        if every:
            newsroom.remark("Watching all plans that you have synced.")
            tower.add_those(lambda: _registered(flags, two_way))
        else:
            # Where the directory is moved, "." would go along with it.
            here = os.path.abspath(flags.town)  # noqa: PTH100
            tower.add(Where(here, flags.settings, two_way), post)
        tower.run()
        if every:
            newsroom.remark("Stopped watching.")
    return ExitCode.DONE


def _registered(flags: Flags, two_way: bool | None) -> Iterator[Where]:
    from tt.adapters.worktrees import registered
    from tt.config.settings import tt_home

    for top in registered(tt_home(os.environ)):
        yield Where(str(top), {"redis.url": flags.redis}, two_way)
