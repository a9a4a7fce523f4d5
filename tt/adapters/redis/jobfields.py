"""How work on a task goes, in the fields of its hash; pure.

tinytown's: `state`, `assigned_to`, `started_at`, `completed_at`, `result`. Ours, which it leaves
alone:

- `run:claim`: the token of the attempt that is assigned or under way; none where there is none;
- `run:handed`: the token of the last hand-out, and `run:ended`: the last end of an attempt, as
  token, what was said, and the state that came of it: by these a repeated step is known;
- `run:failures`, `run:deaths`: how many attempts ended so; `run:why`: how the last one did;
- `run:retries`, `run:timeout`: what it was handed out with; `run:by`: by whom.
"""

from __future__ import annotations

from typing import Final

from tt.adapters.redis.codec import RUN_CLAIM, Hash
from tt.adapters.redis.happenings import readable
from tt.adapters.redis.keys import UUID
from tt.core.jobs import Job
from tt.ports import StoredTask

CLAIM: Final = RUN_CLAIM
HANDED: Final = "run:handed"
ENDED: Final = "run:ended"
FAILURES: Final = "run:failures"
DEATHS: Final = "run:deaths"
RETRIES: Final = "run:retries"
TIMEOUT: Final = "run:timeout"
BY: Final = "run:by"
WHY: Final = "run:why"
_DIGITS: Final = 9


def job_of(stored: StoredTask) -> Job:
    """Return a task that was read as a job."""
    get = stored.raw.get
    return Job(
        uuid=stored.uuid,
        task=stored.task,
        tagged=stored.tagged,
        agent=uuid_in(stored.raw, "assigned_to"),
        claim=readable(get(CLAIM) or ""),
        failures=count_in(stored.raw, FAILURES),
        deaths=count_in(stored.raw, DEATHS),
        retries=count_in(stored.raw, RETRIES),
        timeout=seconds_in(stored.raw, TIMEOUT),
        sender=uuid_in(stored.raw, BY),
        why=readable(get(WHY) or ""),
        result=readable(get("result") or ""),
        created_at=readable(get("created_at") or ""),
        updated_at=readable(get("updated_at") or ""),
        started_at=readable(get("started_at") or ""),
        completed_at=readable(get("completed_at") or ""),
    )


def uuid_in(raw: Hash, name: str) -> str:
    """Read a field that names an agent; empty where it names none."""
    text = raw.get(name)
    return text if text and UUID.fullmatch(text) else ""


def count_in(raw: Hash, name: str) -> int:
    """Read a count; 0 where there is none."""
    text = raw.get(name) or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else 0


def seconds_in(raw: Hash, name: str) -> float:
    """Read a number of seconds; 0 where there is none."""
    try:
        seconds = float(raw.get(name) or 0)
    except ValueError:
        return 0.0
    return seconds if 0 <= seconds < float("inf") else 0.0
