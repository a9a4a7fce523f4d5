"""Where things stand in a TOML text: sections, keys, values and items, as offsets.

Everything here trusts the text to be valid TOML (tomli has read it before) and only finds out
where each thing begins and ends. What a value *means* is never asked. TOML 1.1's inline tables of
several lines are understood too.

The patterns cannot run away: alternatives begin with different characters, and runs of plain
characters are possessive. Groups that can backtrack are never possessive, since Python 3.11.0 to
3.11.4 match those wrongly (gh-106052).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple, TypeAlias

from tt.record import field, record

Key: TypeAlias = tuple[str, ...]
"""A dotted key, part by part."""

_BASIC: Final = r'"[^"\\\n]*+(?:\\.[^"\\\n]*+)*"'
_LITERAL: Final = r"'[^'\n]*+'"
_LONG_BASIC: Final = r'"""[^"\\]*+(?:(?:\\[\s\S]|"(?!""))[^"\\]*+)*"""(?:""?)?'
_LONG_LITERAL: Final = r"'''[^']*+(?:'(?!'')[^']*+)*'''(?:''?)?"
STRING: Final = f"(?:{_LONG_BASIC}|{_LONG_LITERAL}|{_BASIC}|{_LITERAL})"
_COMMENT: Final = r"#[^\n]*+"
_FLAT: Final = rf"""[\[{{](?:[^\[\]{{}}"'#]++|{_COMMENT}|{STRING})*[\]}}]"""
_SCALAR: Final = r"""\d{4}-\d\d-\d\d \d\d:[^\s,#\]}]*+|[^\s,#\[\]{}"']++"""
_EASY_VALUE: Final = f"(?:{STRING}|{_FLAT}|{_SCALAR})"
_PART: Final = f"(?:[A-Za-z0-9_-]++|{_BASIC}|{_LITERAL})"
_KEY: Final = rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*"
_LINE_END: Final = rf"[ \t]*+(?:{_COMMENT}|\r)?"

_EASY: Final = re.compile(_EASY_VALUE)
_TOKEN: Final = re.compile(rf"{STRING}|{_COMMENT}|[\[\]{{}}]")
_HEADER: Final = re.compile(rf"[ \t]*+\[(\[)?[ \t]*+({_KEY})[ \t]*+\]\]?")
_PAIR: Final = re.compile(rf"[ \t]*+({_KEY})[ \t]*+=[ \t]*+")
_LINE: Final = re.compile(rf"{_PAIR.pattern}({_EASY_VALUE}){_LINE_END}(?:\n|\Z)")
_PARTS: Final = re.compile(_PART)
_REST_OF_LINE: Final = re.compile(rf"{_LINE_END}(?:\n|\Z)")
_BLANKS: Final = re.compile(rf"(?:{_LINE_END}\n)*")
_SPACE: Final = re.compile(rf"(?:[ \t\r\n]++|{_COMMENT})*")
_BODY: Final = rf"(?:(?:[ \t]*+{_KEY}[ \t]*+=[ \t]*+{_EASY_VALUE})?{_LINE_END}\n)*"


class Pair(NamedTuple):
    """One `key = value`, as a line of a section or in an inline table.

    `start` and `end` take in the whole line, indentation, comment and newline included; in an
    inline table, and for an item of an array (whose key is empty), they are the bare pair's.
    """

    key: Key
    start: int
    key_start: int
    key_end: int
    value: int
    value_end: int
    end: int


@record(frozen=False)
class Section:
    """A `[header]` or `[[header]]` line and the pairs under it; the root section has no header.

    `start` is the start of the header's line, `head_end` the start of the line after it.
    """

    path: Key
    is_array: bool
    start: int
    head_end: int
    pairs: list[Pair] = field(default_factory=list)

    @property
    def end(self) -> int:
        """Where its last pair ends; comments and blank lines after that are nobody's yet."""
        return self.pairs[-1].end if self.pairs else self.head_end


class Item(NamedTuple):
    """One item of an array or inline table; `comma` is the offset of the comma after it."""

    pair: Pair
    comma: int | None

    @property
    def end(self) -> int:
        """Where the item ends, its comma included."""
        return self.pair.value_end if self.comma is None else self.comma + 1


def value_end(text: str, start: int) -> int:
    """Return where the value ends that starts at `start`."""
    easy = _EASY.match(text, start)
    return easy.end() if easy else _nested_end(text, start)


def _nested_end(text: str, start: int) -> int:
    depth = 0
    for token in _TOKEN.finditer(text, start):
        mark = text[token.start()]
        if mark in "[{":
            depth += 1
        elif mark in "]}":
            depth -= 1
            if not depth:
                return token.end()
    raise ValueError(f"no end to the value at offset {start}")


def key_parts(text: str) -> Key:
    """Split a key as it is written, `a."b c".d`, into its parts."""
    if text.isidentifier():
        return (text,)
    return tuple(map(_part, _PARTS.findall(text)))


def _part(written: str) -> str:
    if written[0] not in "\"'":
        return written
    if "\\" not in written or written[0] == "'":
        return written[1:-1]
    import tomli  # an escape in a key is seldom enough

    return next(iter(tomli.loads(f"{written} = 0")))


def line_end(text: str, pos: int) -> int:
    """Return where the line's rest (white space, comment, newline) ends after a statement."""
    rest = _REST_OF_LINE.match(text, pos)
    if rest is None:
        raise ValueError(f"more on the line than expected at offset {pos}")
    return rest.end()


def after_blanks(text: str, pos: int) -> int:
    """Return the start of the first line from `pos` on that is neither blank nor a comment."""
    blanks = _BLANKS.match(text, pos)
    return blanks.end() if blanks else pos


def sections(text: str) -> list[Section]:
    """Take a text of whole lines apart; the first section is the root, be it empty."""
    found = [Section((), is_array=False, start=0, head_end=0)]
    pos = after_blanks(text, 0)
    while pos < len(text):
        if (line := _LINE.match(text, pos)) is not None:
            key = key_parts(line[1])
            pair = Pair(key, pos, *line.span(1), *line.span(2), line.end())
        elif (head := _HEADER.match(text, pos)) is not None:
            found.append(_section(text, head))
            pos = after_blanks(text, found[-1].head_end)
            continue
        elif (start := _PAIR.match(text, pos)) is not None:
            pair = _nested_pair(text, start)
        else:
            break  # blanks or a comment without a newline: the end
        found[-1].pairs.append(pair)
        pos = pair.end if text[pair.end : pair.end + 1].isalpha() else after_blanks(text, pair.end)
    return found


def _nested_pair(text: str, match: re.Match[str]) -> Pair:
    end = value_end(text, match.end())
    key = key_parts(match[1])
    return Pair(key, match.start(), *match.span(1), match.end(), end, line_end(text, end))


def _section(text: str, match: re.Match[str]) -> Section:
    is_array = match[1] is not None
    return Section(key_parts(match[2]), is_array, match.start(), line_end(text, match.end()))


def headers(text: str) -> Iterator[Section]:
    """Yield the sections of a text without their pairs, mostly at the speed of one regex."""
    find_body = re.compile(_BODY).match  # few texts need it, so it is not compiled before
    pos = 0
    while pos < len(text):
        body = find_body(text, pos)
        pos = body.end() if body else pos
        if (head := _HEADER.match(text, pos)) is not None:
            section = _section(text, head)
            yield section
            pos = section.head_end
        elif (pair := _PAIR.match(text, pos)) is not None:
            pos = line_end(text, value_end(text, pair.end()))
        else:
            return


def skip_space(text: str, pos: int) -> int:
    """Skip white space, newlines and comments within brackets."""
    space = _SPACE.match(text, pos)
    return space.end() if space else pos


def items(text: str, opening: int) -> tuple[list[Item], int]:
    """Take apart the array or inline table whose bracket stands at `opening`.

    Returns its items and where its closing bracket stands.
    """
    found: list[Item] = []
    closing = "]" if text[opening] == "[" else "}"
    pos = skip_space(text, opening + 1)
    while text[pos] != closing:
        pair = _table_item(text, pos) if closing == "}" else _array_item(text, pos)
        pos = skip_space(text, pair.value_end)
        comma = pos if text[pos] == "," else None
        found.append(Item(pair, comma))
        if comma is not None:
            pos = skip_space(text, comma + 1)
    return found, pos


def _array_item(text: str, pos: int) -> Pair:
    end = value_end(text, pos)
    return Pair((), pos, pos, pos, pos, end, end)


def _table_item(text: str, pos: int) -> Pair:
    match = _PAIR.match(text, pos)
    if match is None:
        raise ValueError(f"no key in the inline table at offset {pos}")
    end = value_end(text, match.end())
    key_start, key_end = match.span(1)
    return Pair(key_parts(match[1]), pos, key_start, key_end, match.end(), end, end)
