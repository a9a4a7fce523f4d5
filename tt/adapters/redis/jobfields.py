"""How work on a task goes, in the fields of its hash; pure.

tinytown's: `state`, `assigned_to`, `started_at`, `completed_at`, `result`. Ours, which it leaves
alone:

- `run:claim`: the token of the attempt that is assigned or under way; none where there is none;
- `run:handed`: the token of the last hand-out, and `run:ended`: the last end of an attempt, as
  token, what was said, and the state that came of it: by these a repeated step is known;
- `run:failures`, `run:deaths`: how many attempts ended so; `run:why`: how the last one did;
- `run:retries`, `run:timeout`: what it was handed out with; `run:by`: by whom, and `run:unsaid`
  where they want no word of its end;
- `run:notes`: what was written beside the task (`jobnotes`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, TypeAlias

from tt.adapters.redis.codec import NOTES, RUN_CLAIM, Hash
from tt.adapters.redis.happenings import readable
from tt.adapters.redis.hashes import HashTexts, Shape
from tt.adapters.redis.keys import UUID
from tt.core.jobs import Job, Note
from tt.ports import StoredTask

CLAIM: Final = RUN_CLAIM
HANDED: Final = "run:handed"
ENDED: Final = "run:ended"
FAILURES: Final = "run:failures"
DEATHS: Final = "run:deaths"
RETRIES: Final = "run:retries"
TIMEOUT: Final = "run:timeout"
BY: Final = "run:by"
UNSAID: Final = "run:unsaid"
WHY: Final = "run:why"
_DIGITS: Final = 9


def job_of(stored: StoredTask) -> Job:
    """Return a task that was read as a job."""
    raw = stored.raw
    if type(raw) is HashTexts:
        reads = _reads_of(raw.shape)
    else:
        reads = tuple(read for read in _READS if read[1] in raw)
    found = {name: read(raw[field]) for name, field, read in reads}
    return Job(stored.uuid, stored.task, stored.tagged, **found)


@lru_cache(maxsize=256)
def _reads_of(shape: Shape) -> _Reads:
    """Return which of the fields hashes of one shape have: most have few."""
    return tuple(read for read in _READS if read[1] in shape.at)


def uuid_in(raw: Hash, name: str) -> str:
    """Read a field that names an agent; empty where it names none."""
    return _uuid(raw.get(name) or "")


def count_in(raw: Hash, name: str) -> int:
    """Read a count; 0 where there is none."""
    return _count(raw.get(name) or "")


def seconds_in(raw: Hash, name: str) -> float:
    """Read a number of seconds; 0 where there is none."""
    return _seconds(raw.get(name) or "")


def _uuid(text: str) -> str:
    return text if UUID.fullmatch(text) else ""


def _count(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else 0


def _seconds(text: str) -> float:
    try:
        seconds = float(text or 0)
    except ValueError:
        return 0.0
    return seconds if 0 <= seconds < float("inf") else 0.0


def _notes(text: str) -> tuple[Note, ...]:
    from tt.adapters.redis.jobnotes import read_notes  # few tasks have any

    return read_notes(text)


_Reads: TypeAlias = "tuple[tuple[str, str, Callable[[str], Any]], ...]"
_READS: Final[_Reads] = (
    ("agent", "assigned_to", _uuid),
    ("claim", CLAIM, readable),
    ("failures", FAILURES, _count),
    ("deaths", DEATHS, _count),
    ("retries", RETRIES, _count),
    ("timeout", TIMEOUT, _seconds),
    ("sender", BY, _uuid),
    ("why", WHY, readable),
    ("notes", NOTES, _notes),
    ("result", "result", readable),
    ("created_at", "created_at", readable),
    ("updated_at", "updated_at", readable),
    ("started_at", "started_at", readable),
    ("completed_at", "completed_at", readable),
)
