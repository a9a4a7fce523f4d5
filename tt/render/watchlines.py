"""What a watcher says: a line for each piece of news, with what matters first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from tt.core.diff import Change, Edited
from tt.core.model import META_ID
from tt.core.report import Direction, SyncReport
from tt.core.watching import Event, News
from tt.render.changes import edit_text
from tt.render.hooklines import conflict_lines, named
from tt.render.jsonout import line
from tt.render.text import Look, count, safe

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
_CLOCK: Final = 10
"""Columns that the time takes before a line."""
_FEW: Final = 2
_WORDS: Final = {
    Event.VALID: "{file} is valid again",
    Event.BACK: "{file} is back",
    Event.ONLINE: "Redis is back",
    Event.RESUMED: "{file} is synced again",
    Event.BLIND: "{file} is polled: {message}",
    Event.DEAF: "Redis is polled: {message}",
    Event.STOPPED: "Stopped watching {file}",
}


def news_lines(news: News, look: Look) -> list[str]:
    """Say one piece of news; the first line says all, what follows says more."""
    if news.report is not None:
        return list(_synced(news.report, news.message, look))
    file = safe(news.file)
    words = _WORDS.get(news.event)
    message = safe(news.message.split("\n")[0])
    first = words.format(file=file, message=message) if words else message
    sign = _SIGNS.get(news.event, "✓")
    color = {"✗": "red", "!": "yellow", "✓": "green"}.get(sign, "dim")
    rest = [*news.message.split("\n")[1:], *news.hint.split("\n")]
    return [
        look.paint(f"{sign} {first}", color),
        *(look.paint(f"    {safe(line.strip())}", "dim") for line in rest if line.strip()),
    ]


def news_json(news: News, now: str) -> str:
    """Say one piece of news to a program, in a line; `now` is RFC 3339."""
    data = {"time": now, "event": news.event, "file": news.file}
    words = {"message": news.message, "hint": news.hint}
    said = {name: text for name, text in words.items() if text}
    return line({**data, **said, **({"report": news.report} if news.report else {})})


def _synced(report: SyncReport, where: str, look: Look) -> Iterator[str]:
    town = f" ({safe(where)})" if where else ""
    yield look.fit(" ".join(_what(report)) + town, _CLOCK)
    for told in conflict_lines(report.conflicts, report.file):
        yield look.paint(f"    {told.removeprefix('tt: ')}", "yellow")
    for kept in report.kept:
        yield look.paint(
            f"    kept {safe(kept.store)} for {safe(kept.id)}; `tt reopen {safe(kept.id)}` "
            "makes it pending",
            "yellow",
        )
    for fault in report.faults:
        yield look.paint(f"    set aside {safe(fault.key)}: {safe(fault.why)}", "yellow")


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
