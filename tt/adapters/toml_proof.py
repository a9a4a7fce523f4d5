"""The proof that an edited text says what was wished, made before it is written anywhere.

A text up to 64 KiB is parsed again as a whole and compared with the plan that is wished. Parsing
a large one twice would cost more than the whole sync, so there the proof goes by pieces:

- The text was cut at lines that begin a statement `[[tasks]]`, and all of its bytes are in one
  piece or another. TOML is a sequence of statements, and `[[tasks]]` opens a fresh table: what
  stands in one piece under `tasks` has no bearing on another piece.
- The pieces that are not edited are the same bytes as before, so they say the same as before.
- `[meta]` stands in the first piece where no other piece has a header of another table.
- Each piece that is edited is parsed alone, before and after. Before, it must say the task just
  as reading the whole file had it: this shows that the cut was right. After, it must say the task
  that is wished (and those that are added), and all else in it (other tables that stand between
  tasks) must be equal: so it can neither take something from another piece nor collide with it.

Whatever this cannot show, because `[meta]` is spread over pieces or a piece does not parse alone,
is left to parsing everything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tt.adapters.toml_read import parsed
from tt.core.document import read_document
from tt.core.model import Task
from tt.core.values import from_toml

if TYPE_CHECKING:
    from tt.adapters.toml_pieces import Pieces
    from tt.adapters.toml_wish import Wish

WHOLE_CHARS: Final = 64 * 1024
"""Up to this length the whole text is parsed again."""

_SHARE: Final = 5
"""Where more than a fifth of the tasks are edited, parsing everything is quicker."""


def prove(old: str, new: str, wish: Wish, pieces: Pieces | None) -> None:
    """Raise RuntimeError unless `new`, made of `old`, says exactly what is wished.

    `pieces` is None where the edit did not go by pieces.
    """
    if len(new) > WHOLE_CHARS and pieces is not None and _proved_by_pieces(pieces, wish):
        return
    others = _others(parsed(old))
    document = parsed(new)
    reading = read_document(document)
    if not reading.is_plan or reading.plan != wish.after:
        raise RuntimeError("the edited plan would not say what it should; nothing was written")
    if _others(document) != others:
        raise RuntimeError("the edit would change something beside the plan; nothing was written")


def _others(document: dict[str, Any]) -> object:
    """Return what a document says beside the plan, made strict."""
    return from_toml({key: document[key] for key in document if key not in ("meta", "tasks")})


def _proved_by_pieces(pieces: Pieces, wish: Wish) -> bool:
    if not pieces.new or wish.last_staying is None or len(pieces.new) * _SHARE > wish.count:
        return False
    names = {index: identifier for identifier, index in wish.indexes.items()}
    return all(_proved(pieces, number, wish, names) for number in pieces.new)


def _proved(pieces: Pieces, number: int, wish: Wish, names: dict[int, str]) -> bool:
    try:
        old, new = parsed(pieces.old(number)), parsed(pieces.new[number])
    except ValueError:
        return False
    identifier = names.get(number - 1, "")
    was = [wish.before.tasks[identifier]] if identifier in wish.before.tasks else []
    wanted = [wish.after.tasks[identifier]] if identifier in wish.after.tasks else []
    if number - 1 == wish.last_staying:
        wanted += wish.added
    if number == 0 and wish.meta and not _says_meta(old, new, wish):
        return False
    return (
        _says(old, was, made=wish.named.get(number - 1))
        and _says(new, wanted, made=None)
        and _rest(old) == _rest(new)
    )


def _says_meta(old: dict[str, Any], new: dict[str, Any], wish: Wish) -> bool:
    """Take `meta` out of both pieces; say whether it was and is what it should."""
    was, now = from_toml(old.pop("meta", {})), from_toml(new.pop("meta", {}))
    return was == wish.before.meta and now == wish.after.meta


def _rest(document: dict[str, Any]) -> object:
    return from_toml({key: document[key] for key in document if key != "tasks"})


def _says(document: dict[str, Any], wanted: list[Task], made: str | None) -> bool:
    """Say whether a piece holds these tasks and no other; `made` is the id that one lacks."""
    raw = document.get("tasks", [])
    if made is not None:
        raw = [{**task, "id": made} for task in raw]
    read = read_document({"tasks": raw}, links=False)  # they lead to tasks of other pieces
    return read.count == len(wanted) and list(read.plan.tasks.values()) == wanted
