"""What a watcher says: a line for each piece of news, with what matters first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

from tt.core.diff import Change, Edited
from tt.core.model import META_ID
from tt.core.report import Direction, SyncReport
from tt.core.watching import Event, News
from tt.render.changes import edit_text
from tt.render.hooklines import conflict_lines, named
from tt.render.jsonout import line
from tt.render.text import Look, columns, count, safe

_SIGNS: Final = {
    Event.INVALID: "✗",
    Event.REFUSED: "✗",
    Event.OFFLINE: "✗",
    Event.WAITING: "…",
    Event.ABSENT: "…",
    Event.BLIND: "!",
    Event.DEAF: "!",
    Event.PASSED: "!",
    Event.STARTED: "·",
    Event.STOPPED: "·",
}
_FEW: Final = 2
_SHOWN: Final = 4
"""How many faults of a plan, or tasks that a sync has left, are worth a line."""
_LEAST: Final = 20
"""Columns below which no line is folded: nothing would be left of it."""
_INDENT: Final = "    "
_WORDS: Final = {
    Event.VALID: "{file} is valid again",
    Event.BACK: "{file} is there",
    Event.ONLINE: "Redis is back",
    Event.RESUMED: "{file} is synced again",
    Event.BLIND: "{file} is polled: {message}",
    Event.DEAF: "Redis is polled: {message}",
    Event.STOPPED: "Stopped watching {file}",
}


def news_lines(news: News, look: Look, used: int = 0, *, hint: bool = True) -> list[str]:
    """Say one piece of news; the first line says all, what follows says more.

    `used` columns of each line are taken; without `hint` nothing is said of what to do.
    """
    if news.report is not None:
        return list(_synced(news.report, news.message, look, used))
    words = _WORDS.get(news.event)
    message, *faults = map(safe, news.message.split("\n"))
    first = words.format(file=safe(news.file), message=message) if words else message
    sign = _SIGNS.get(news.event, "✓")
    color = {"✗": "red", "!": "yellow", "✓": "green"}.get(sign, "dim")
    more = f"and {len(faults) - _SHOWN:,} more; `tt check` shows them"
    under = faults if len(faults) <= _SHOWN else [*faults[:_SHOWN], more]
    under += map(safe, news.hint.split("\n")) if hint else []
    return [
        *_folded(f"{sign} {first}", look, used, color),
        *(line for text in under if text for line in _under(text.strip(), look, used, "dim")),
    ]


def short_names(directories: Collection[str]) -> dict[str, str]:
    """Return each directory's name, with as much of its path as tells it from the others."""
    parts = {directory: directory.strip("/").split("/") for directory in directories}
    taken = Counter("/".join(own[-n:]) for own in parts.values() for n in range(1, len(own) + 1))
    return {directory: _shortest(own, taken) for directory, own in parts.items()}


def _shortest(parts: Sequence[str], taken: Counter[str]) -> str:
    names = ("/".join(parts[-length:]) for length in range(1, len(parts) + 1))
    return next((name for name in names if taken[name] == 1), "/".join(parts))


def news_json(news: News, now: str) -> str:
    """Say one piece of news to a program, in a line; `now` is RFC 3339."""
    data = {"time": now, "event": news.event, "file": news.file}
    words = {"message": news.message, "hint": news.hint}
    said = {name: text for name, text in words.items() if text}
    return line({**data, **said, **({"report": news.report} if news.report else {})})


def _synced(report: SyncReport, where: str, look: Look, used: int) -> Iterator[str]:
    left = list(_left(report))
    if report.to_store or report.to_file or where or not left:
        town = f" ({safe(where)})" if where else ""
        yield look.fit("  ".join(_what(report)), used + columns(town)) + town
    else:
        yield from _folded(f"! {left.pop(0)}", look, used, "yellow")
    for text in left:
        yield from _under(text, look, used, "yellow")


def _left(report: SyncReport) -> Iterator[str]:
    """Yield what a sync did not do, and why."""
    for told in conflict_lines(report.conflicts, report.file):
        yield told.removeprefix("tt: ")
    yield from _some(
        f"kept {safe(kept.store)} for {safe(kept.id)}; `tt reopen {safe(kept.id)}` makes it pending"
        for kept in report.kept
    )
    yield from _some(f"set aside {safe(fault.key)}: {safe(fault.why)}" for fault in report.faults)


def _some(lines: Iterable[str]) -> Iterator[str]:
    found = list(lines)
    yield from found[:_SHOWN]
    if len(found) > _SHOWN:
        yield f"and {len(found) - _SHOWN:,} more"


def _under(text: str, look: Look, used: int, color: str) -> Iterator[str]:
    return _folded(_INDENT + text, look, used, color, _INDENT)


def _folded(text: str, look: Look, used: int, color: str, indent: str = "  ") -> Iterator[str]:
    """Yield a text in lines that fit, as a terminal would break them in the middle of a word."""
    room = look.width - used
    if look.width <= 0 or room < _LEAST:
        yield look.paint(text, color)
        return
    from textwrap import wrap

    for part in wrap(
        text, room, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    ):
        yield look.paint(part, color)


def _what(report: SyncReport) -> Iterator[str]:
    """Say which way what went; where nothing did, that all is in step."""
    if not report.to_store and not report.to_file:
        tasks = "" if report.partial else f"{count(report.in_step, 'task')} "
        yield f"✓ {tasks}in step with Redis"
    if report.to_store:
        yield f"⬆️  {_changed(report.to_store)}"
    if report.to_file:
        yield f"⬇️  {_changed(report.to_file)}"
    if report.direction is Direction.PUSH and report.named:
        yield f"({count(len(report.named), 'task')} without an id)"


def _changed(changes: Sequence[Change]) -> str:
    """Name what changed; of one or two fields also how."""
    if len(changes) > _FEW or not all(isinstance(change, Edited) for change in changes):
        return named(changes)
    return ", ".join(_edited(change) for change in changes if isinstance(change, Edited))


def _edited(edit: Edited) -> str:
    if edit.field == "status":
        return named([edit])
    name = "[meta]" if edit.id == META_ID else safe(edit.id)
    return f"{name} {edit_text(edit)}"
