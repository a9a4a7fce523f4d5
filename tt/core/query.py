"""The filter language of every listing: `status:failed,running tag:backend -agent:dev login`.

Words apart are "and", commas are "or", a leading `-` or `!` is "not". A word without a key is
looked for in id and description. Values of `id`, `tag`, `agent` and `parent` may hold `*` and `?`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from tt.core.model import STATUSES, Plan, Task
from tt.errors import UsageError

_KEYS: Final = ("status", "tag", "agent", "parent", "id", "text")
_ALIASES: Final = {"state": "status", "tags": "tag"}


class Term(NamedTuple):
    """One word of a filter: any of `values` for `key`; an empty value means "has none"."""

    key: str
    values: tuple[str, ...]
    negated: bool = False


def parse_query(words: Iterable[str]) -> tuple[Term, ...]:
    """Parse a filter. Raises UsageError for a key or a status that does not exist."""
    return tuple(_term(word) for word in words if word.strip())


def _term(word: str) -> Term:
    if word.startswith("--"):
        raise UsageError(f"There is no option `{word}`.", "See `tt plan --help`.")
    negated = word[0] in "-!" and len(word) > 1
    body = word[1:] if negated else word
    key, colon, rest = body.partition(":")
    if not colon:
        return Term("text", (body,), negated)
    key = _ALIASES.get(key.lower(), key.lower())
    if key not in _KEYS:
        raise UsageError(f"There is no filter `{key}:`.", _key_hint(key, body))
    values = (rest,) if key == "text" else tuple(value.strip() for value in rest.split(","))
    if key == "status":
        values = tuple(_status(value) for value in values)
    return Term(key, values, negated)


def _key_hint(key: str, body: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(key, _KEYS, n=1)
    if near:
        return f"Did you mean `{near[0]}:`?"
    known = ", ".join(f"`{name}:`" for name in _KEYS)
    return f"There are {known}; to look for the words themselves, write `text:{body}`."


def _status(value: str) -> str:
    from difflib import get_close_matches

    status = value.lower()
    if status not in STATUSES:
        near = get_close_matches(status, sorted(STATUSES), n=1)
        hint = (
            f"Did you mean `{near[0]}`?" if near else "One of " + ", ".join(sorted(STATUSES)) + "."
        )
        raise UsageError(f"There is no status `{value}`.", hint)
    return status


def select(plan: Plan, query: Sequence[Term]) -> list[Task]:
    """List the plan's tasks that fit every term, in the file's order."""
    tests = [_test(term, plan) for term in query]
    return [task for task in plan.tasks.values() if all(test(task) for test in tests)]


def agent_of(task: Task, plan: Plan) -> str | None:
    """Return who does a task: its own agent, else the plan's default."""
    return task.agent or plan.default_agent


def _test(term: Term, plan: Plan) -> Callable[[Task], bool]:
    fits = _fits(term, plan)
    return (lambda task: not fits(task)) if term.negated else fits


def _fits(term: Term, plan: Plan) -> Callable[[Task], bool]:
    """Make the test of one term, its negation left aside."""
    if term.key == "text":
        return _text_test(term.values[0])
    if term.key == "status":
        return lambda task: task.status in term.values
    if term.key == "tag":
        return _any_test(term.values, lambda task: task.tags)
    if term.key == "agent":
        return _any_test(term.values, lambda task: _present(agent_of(task, plan)))
    if term.key == "parent":
        return _any_test(term.values, lambda task: _present(task.parent))
    return _any_test(term.values, lambda task: [task.id])


def _present(value: str | None) -> list[str]:
    return [] if value is None else [value]


def _text_test(text: str) -> Callable[[Task], bool]:
    wanted = text.casefold()
    return lambda task: wanted in task.id.casefold() or wanted in task.description.casefold()


def _any_test(
    patterns: Sequence[str], values: Callable[[Task], Sequence[str]]
) -> Callable[[Task], bool]:
    from fnmatch import fnmatchcase

    def fits(task: Task) -> bool:
        found = values(task)
        if not found:
            return "" in patterns
        return any(
            fnmatchcase(value, pattern) for value in found for pattern in patterns if pattern
        )

    return fits
