"""Editing a plan's text so that only the bytes change that have to.

`edit_plan` works out what is to change, edits the pieces of the text concerned, and proves that
the outcome says what it should before anybody gets to see it: see `toml_proof`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from tt.adapters.toml_items import spliced, with_items, without_items
from tt.adapters.toml_lines import with_table
from tt.adapters.toml_pieces import Pieces, task_starts
from tt.adapters.toml_proof import prove
from tt.adapters.toml_read import bytes_of, parsed, text_of
from tt.adapters.toml_scan import Pair, items, sections
from tt.adapters.toml_table import changed
from tt.adapters.toml_tasks import add_tasks, remove_tasks, with_no_tasks
from tt.adapters.toml_view import INLINE, table
from tt.adapters.toml_wish import Wish, wish_for
from tt.adapters.toml_write import ORDER, task_inline
from tt.core.document import is_plan
from tt.core.values import ABSENT

if TYPE_CHECKING:
    from tt.core.diff import Change, Edited
    from tt.core.document import Reading
    from tt.ports import Snapshot


def edit_plan(
    data: bytes,
    before: Snapshot | Reading,
    changes: Sequence[Change],
    named: Mapping[int, str] | None = None,
) -> bytes:
    """Return `data`, whose plan is `before`, with `changes` made and the ids `named` written down.

    `named` is by index in the file, and by default all that `before` had to make. (One that is
    left out is made again when the file is read next: perhaps another one, where tasks of the
    same description came or went.) Returns `data` itself where nothing changes. Raises
    RuntimeError rather than return a file that would not say exactly what is wished.
    """
    wish = wish_for(before, changes, before.named if named is None else named)
    if not wish:
        return data
    text = text_of(data)
    starts = task_starts(text, wish.count)
    if starts or not wish.count:
        edited, pieces = _edited_blocks(text, starts, wish)
    else:
        edited, pieces = _with_meta(_edited_array(text, wish), wish.meta), None
    if not wish.after.tasks and not is_plan(parsed(edited)):
        edited = with_no_tasks(edited)
    prove(text, edited, wish, pieces)
    return bytes_of(edited, data)


def _edited_table(text: str, root: str, identifier: str | None, edits: Iterable[Edited]) -> str:
    """Make the edits of one table; those of keys that are new come in the order of writing.

    What goes, goes last: a table of dotted keys is there as long as one of them is.
    """
    if identifier is not None:
        text = changed(text, root, ("id",), ABSENT, identifier)
    rank = {name: place for place, name in enumerate(ORDER)}
    places = [(edit.new is ABSENT, rank.get(edit.field, len(rank)), edit) for edit in edits]
    for *_, edit in sorted(places, key=lambda place: place[:2]):
        text = changed(text, root, (edit.field,), edit.old, edit.new)
    return text


def _edited_blocks(text: str, starts: list[int], wish: Wish) -> tuple[str, Pieces | None]:
    """Edit a text whose tasks are `[[tasks]]` blocks; by pieces only, or else without them."""
    pieces = Pieces(text, starts)
    meta_first = bool(wish.meta) and not pieces.has_other_tables()
    if meta_first:
        pieces[0] = _with_meta(pieces[0], wish.meta, pieces.old(1) if starts else "")
    _edit_tasks(pieces, wish)
    if meta_first or not wish.meta:
        return pieces.joined(), pieces
    return _with_meta(pieces.joined(), wish.meta), None


def _edit_tasks(pieces: Pieces, wish: Wish) -> None:
    for index in wish.touched:
        piece = pieces[index + 1]
        pieces[index + 1] = _edited_table(
            piece, "tasks", wish.named.get(index), wish.edits.get(index, ())
        )
    if wish.removed:
        remove_tasks(pieces, wish.removed)
    if wish.added and wish.last_staying is not None:
        add_tasks(pieces, wish.last_staying + 1, wish.added)
    elif wish.added:
        pieces.merge()
        pieces[0] = _without_empty_array(pieces[0])
        add_tasks(pieces, 0, wish.added)


def _array_pair(text: str) -> Pair | None:
    pairs = sections(text)[0].pairs
    return next((pair for pair in pairs if pair.key == ("tasks",)), None)


def _without_empty_array(text: str) -> str:
    """Cut `tasks = []`, which would keep `[[tasks]]` from being written."""
    pair = _array_pair(text)
    return text if pair is None else text[: pair.start] + text[pair.end :]


def _edited_array(text: str, wish: Wish) -> str:
    """Edit a text that has its tasks as inline tables in one array, `tasks = [{ … }, …]`."""
    pair = _array_pair(text)
    assert pair is not None  # noqa: S101  there are tasks, and they have no headers
    found = [item.pair for item in items(text, pair.value)[0]]
    splices = []
    for index in wish.touched:
        start, end = found[index].value, found[index].value_end
        edits = wish.edits.get(index, ())
        new = _edited_table(text[start:end], INLINE, wish.named.get(index), edits)
        splices.append((start, end, new))
    text = spliced(text, splices)
    if wish.removed:
        text = without_items(text, pair.value, wish.removed)
    if wish.added:
        new_items = [task_inline(task) for task in wish.added]
        text = with_items(text, pair.value, wish.count - len(wish.removed), new_items)
    return text


def _with_meta(text: str, edits: Sequence[Edited], follows: str = "") -> str:
    """Edit `[meta]`, making it where there is none; `follows` is what comes after `text`."""
    if not edits:
        return text
    level = table(text, "meta")
    stands = any(not head.path for head in level.heads) or any(not s.path for s in level.spots)
    if not stands and any(edit.new is not ABSENT for edit in edits):
        text = with_table(text, "meta", follows)
    return _edited_table(text, "meta", None, edits)
