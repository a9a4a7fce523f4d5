"""Merging three versions of a plan file: the best text there is that says what it should.

A text is tried, and proved by reading it: first the plain merge of lines, which keeps every format
where it is clean and happens to be right; then the merge by units and fields; then, for plans that
are written in odd ways, ours with the outcome edited in. Where plans cannot be told from the texts
at all, what Git would have made of them stands.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from tt.adapters import merge_proof
from tt.adapters.merge_comments import comment_lines, lost_comments
from tt.adapters.merge_proof import Claim, proved, proved_by_parts
from tt.adapters.toml_read import bytes_of, parsed, text_of
from tt.adapters.toml_write import newline_of
from tt.core.document import Reading, read_document
from tt.core.markers import MergeSide, has_markers, sided
from tt.core.merged import LineMerge, MergedFile
from tt.core.three import Three, picked
from tt.core.treemerge import MergedTree, Tree, agreed, merge_trees
from tt.core.treeread import tree_of

if TYPE_CHECKING:
    from typing import Any

    from tt.adapters.merge_text import Version


class _Read(NamedTuple):
    """One file as it was read. `document` is None where it is no TOML, `tree` where no plan."""

    document: dict[str, Any] | None
    reading: Reading
    tree: Tree | None
    text: str
    is_open: bool = False
    """Whether it has conflict markers, so that its tree leaves fields undecided."""


_EMPTY: Final = _Read({}, Reading(), Tree(), "")


def merge_files(data: Three[bytes], size: int, merge_lines: Callable[[], LineMerge]) -> MergedFile:
    """Merge two descendants of a base, with conflict markers of `size` where no rule decides.

    `merge_lines` merges the lines of the three, and is asked when that is of use.
    """
    if data.theirs in (data.ours, data.base):
        return MergedFile(data.ours)
    if data.ours == data.base:
        return MergedFile(data.theirs)
    read = Three(_read_base(data.base), _read(data.ours), _read(data.theirs))
    if read.base.tree is None or read.ours.tree is None or read.theirs.tree is None:
        return _by_lines(read, merge_lines())
    merged = merge_trees(read.base.tree, read.ours.tree, read.theirs.tree)
    lines = None
    if not merged.conflicts:
        lines = merge_lines()
        if lines.is_clean and proved(text_of(lines.data), _claim(read, merged)):
            return MergedFile(lines.data)
    for text in _outcomes(data, read, merged, size):
        return MergedFile(text, not merged.conflicts, merged.conflicts)
    lines = lines or merge_lines()
    return MergedFile(lines.data, False, merged.conflicts, "its fields cannot be told apart")


# Reading


def tree_in(text: str) -> Tree | None:
    """Read a text; None where it is no plan whose tasks can be told apart."""
    return _read_text(text).tree


def _read(data: bytes) -> _Read:
    try:
        return _read_text(text_of(data))
    except UnicodeDecodeError:
        return _Read(None, Reading(), None, "")


def _read_text(text: str) -> _Read:
    try:
        document = parsed(text)
    except (ValueError, RecursionError):
        return _Read(None, Reading(), None, "")
    if not document:
        return _Read(document, Reading(is_plan=False), None, text)
    reading = read_document(document, links=False)
    return _Read(document, reading, tree_of(document, reading), text)


def _read_base(data: bytes) -> _Read:
    """Read a base: an empty one is one without tasks, and one may have conflicts of its own."""
    read = _read(data)
    if read.document == {}:
        return _EMPTY._replace(text=read.text)
    text = data.decode(errors="replace").removeprefix("\ufeff")
    if read.document is not None or not has_markers(text):
        return read
    one, other = (_read_text(sided(text, side)) for side in MergeSide)
    if one.tree is None or other.tree is None:
        return read
    return one._replace(tree=agreed(one.tree, other.tree), is_open=True)


# Trying texts


def _claim(read: Three[_Read], merged: MergedTree) -> Claim:
    trees = read.map(lambda one: one.tree or Tree())
    return Claim(read.map(lambda one: one.text), trees, merged, tree_in)


def _outcomes(
    data: Three[bytes], read: Three[_Read], merged: MergedTree, size: int
) -> Iterator[bytes]:
    """Yield proved texts of the outcome, the best first."""
    from tt.adapters.merge_blocks import Style
    from tt.adapters.merge_text import merged_parts
    from tt.adapters.merge_units import OddTextError

    shape, claim = _Shape.of(data, read), _claim(read, merged)
    with suppress(OddTextError):
        parts = merged_parts(read.map(shape.version), merged, Style(shape.inner, size))
        text = "".join(part.text for part in parts)
        by_parts = len(text) > merge_proof.WHOLE_CHARS and all(map(_is_plain, read))
        if proved_by_parts(parts, claim) if by_parts else proved(text, claim):
            yield shape.bytes_of(text)
    from tt.adapters.merge_edit import edited_text  # seldom needed

    edited = edited_text(data.ours, read.ours.reading, merged, size)
    if edited is not None and proved(text_of(edited := _with_lost(edited, read)), claim):
        yield edited


def _is_plain(one: _Read) -> bool:
    """Say whether a text has no string of several lines, and all of its tasks have ids."""
    return '"""' not in one.text and "'''" not in one.text and not one.reading.named


def _with_lost(data: bytes, read: Three[_Read]) -> bytes:
    """Add at the end the comments that an edited text has lost."""
    text = text_of(data)
    plain = "".join(sided(text, side) + "\n" for side in MergeSide)
    lost = lost_comments(read.map(lambda one: one.text), plain)
    newline = newline_of(text)
    gap = newline if lost and not text.endswith("\n") else ""
    return bytes_of(text + gap + comment_lines(lost, newline), data)


class _Shape(NamedTuple):
    """What a file as a whole is like, merged three ways as well.

    `inner` are the line endings to merge with: those of all three, or plain ones where they differ.
    """

    newline: str
    inner: str
    last: str
    """The newline at the end of the file, or nothing."""
    mark: bytes
    """The byte order mark, or nothing."""

    @classmethod
    def of(cls, data: Three[bytes], read: Three[_Read]) -> _Shape:
        newlines = read.map(lambda one: newline_of(one.text))
        lasts = read.map(lambda one: one.text[-1:] if one.text.endswith("\n") else "")
        marks = data.map(lambda one: BOM_UTF8 if one.startswith(BOM_UTF8) else b"")
        newline = picked(newlines)
        return cls(
            newline, newline if len({*newlines}) == 1 else "\n", picked(lasts), picked(marks)
        )

    def version(self, one: _Read) -> Version:
        """Return a text with the line endings to merge with, the last line ended as well."""
        from tt.adapters.merge_text import Version

        text = one.text.replace("\r\n", "\n") if self.inner == "\n" else one.text
        if text and not text.endswith("\n"):
            text += self.inner
        assert one.tree is not None  # noqa: S101  only plans get here
        return Version(text, one.tree, [*one.reading.plan.tasks], one.is_open)

    def bytes_of(self, text: str) -> bytes:
        """Give a merged text its shape."""
        if self.inner != self.newline:
            text = text.replace("\n", self.newline)
        if not self.last:
            text = text.removesuffix(self.newline)
        return self.mark + text.encode()


# What cannot be merged as plans


def _by_lines(read: Three[_Read], lines: LineMerge) -> MergedFile:
    """Leave a merge to its lines; one that is clean and breaks what was sound is not clean."""
    if not lines.is_clean:
        return MergedFile(lines.data, False)
    found = _read(lines.data)
    sides = read[1:]
    if found.document is None and all(side.document is not None for side in sides):
        return MergedFile(lines.data, False, why="the merged lines are no valid TOML")
    if found.tree is None and all(side.tree is not None for side in sides):
        return MergedFile(lines.data, False, why="the merged lines are no plan")
    return MergedFile(lines.data)
