"""`tt merge-driver`: what Git runs to merge a plan. Not for people; it understands no options.

It needs no configuration, no repository and no Redis, so it is wired right here. Whatever goes
wrong, the file is left with both sides' changes in it: of a driver that fails Git would keep ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from tt.adapters.merge_lines import MergingLines
from tt.cli.screen import warn
from tt.core.markers import DEFAULT_SIZE
from tt.core.three import Three
from tt.errors import TTError

if TYPE_CHECKING:
    from tt.core.merged import MergedFile

_MERGED, _CONFLICTS, _FAILED = 0, 1, 129
_USAGE: Final = "tt: Git runs this: tt merge-driver BASE OURS THEIRS PATH [MARKER-SIZE]"


class _Call(NamedTuple):
    files: Three[str]
    path: str
    size: int


def run_driver(given: Sequence[str]) -> int:
    """Merge the files that Git names; return 0, 1 for conflicts, 129 for a failure."""
    if not 4 <= len(given) <= 5:
        warn([_USAGE])
        return _FAILED
    call = _Call(Three(*given[:3]), given[3], _size(given[4:]))
    try:
        with MergingLines(call.files, call.size) as lines:
            return _merge(call, lines, given)
    except TTError as error:
        return _told(error, given)


def _size(words: Sequence[str]) -> int:
    """Read the size of the markers; Git's own where there is none."""
    return max(int(words[0]), 1) if words and words[0].isdecimal() else DEFAULT_SIZE


def _merge(call: _Call, lines: MergingLines, given: Sequence[str]) -> int:
    """Merge; whatever goes wrong, leave what Git itself would have made."""
    try:
        from tt.adapters.merge_files import merge_files
        from tt.app.merging import merge

        merged = merge(call.files, call.size, merge_files, lines.result)
    except Exception as error:  # noqa: BLE001  a bug must not cost the user a side
        from tt.app.merging import merge_by_lines

        merge_by_lines(call.files.ours, lines.result)
        return _told(error, given)
    if merged.is_clean:
        return _MERGED
    _tell(call, merged)
    return _CONFLICTS


def _tell(call: _Call, merged: MergedFile) -> None:
    """Say what has to be looked at, but not of a base that Git makes for a merge of its own."""
    if call.size <= DEFAULT_SIZE:
        from tt.render.merging import merge_lines as lines

        warn(lines(call.path, merged.conflicts, merged.why))


def _told(error: Exception, given: Sequence[str]) -> int:
    from tt.cli.trouble import expected, tell

    tell(expected(error, ["merge-driver", *given]), as_json=False)
    return _FAILED
