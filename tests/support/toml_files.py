"""Hypothesis strategies for odd plan files: valid, and said in every way that TOML can say them.

`plan_files()` makes the bytes of a valid plan; `changes_to(plan)` makes changes of it. Each comment
in a file has a number of its own (`# c12`), so that a test can see which ones are left.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import count
from random import Random

from hypothesis import strategies as st

from tt.core.diff import Added, Change, Edited, Removed
from tt.core.model import META_ID, STATUSES, Plan, Task
from tt.core.values import ABSENT, Literal, MaybeValue, Value

_TEXTS = [
    "x",
    "it's",
    'say "hi"',
    "a # no comment",
    "[[tasks]]",
    "späß ✓",
    "C:\\dir",
    "tab\there",
    "",
]
_LONG = [
    '"""one\ntwo"""',
    "'''\nit''s raw \\n'''",
    '"""\n[[tasks]]\nid = "fake"\n# not a comment\n"""',
    "'''# no comment\n[meta]'''",
    '"""ends in quotes \\""""',
    '"""""inside"""""',
    '"""joined \\\n    up"""',
]
_ODD = [
    "true", "-17", "0x1F", "1_000", "1.50", "1e3", "inf", "nan", "2026-01-31", "07:32:00",
    "1979-05-27 07:32:00Z", "1979-05-27T00:32:00.999-07:00", "[]", "{}", "[ [1, 2], [ ] ]",
    '[ { a = 1 }, { a = 2, b = "[[tasks]]" } ]', '{ a.b = 1, "c d" = { e = [ "f" ] } }',
]  # fmt: skip
_USER_KEYS = ["priority", "notes", '"odd key"', "'literal'", "due", "estimate"]
_SPACES = ["", "", "", " ", "\t", "  "]


class _Writer:
    """Draws the pieces of one file; `numbers` gives each comment its own.

    A file takes hundreds of choices: all of them hang on one seed, since drawing each one through
    Hypothesis would take most of a test's time. What shrinks is the number of tasks.
    """

    def __init__(self, random: Random) -> None:
        self.random = random
        self.numbers = count(1)

    def pick(self, *choices: str) -> str:
        return self.random.choice(choices)

    def chance(self, percent: int = 30) -> bool:
        return self.random.randrange(100) < percent

    def space(self) -> str:
        return self.pick(*_SPACES)

    def comment(self) -> str:
        return (
            f"# c{next(self.numbers)} {self.pick('', '[[tasks]]', '= x', 'späß', '{ ] ')}".rstrip()
        )

    def tail(self) -> str:
        return self.space() + (self.comment() if self.chance(20) else "")

    def gap(self) -> str:
        """Blank lines and comments between statements; may be nothing."""
        choices = ("", "", "  ", self.space() + self.comment())
        lines = self.random.choices(choices, k=self.random.randint(0, 3))
        lines = [*dict.fromkeys(lines)]
        return "".join(line + "\n" for line in lines)

    def string(self, text: str) -> str:
        kinds = [_basic(text)]
        if "'" not in text and "\t" not in text:
            kinds.append(f"'{text}'")
        if "\\" not in text and '"' not in text:
            kinds += [f'"""{text}"""', f'"""\n{text}"""']
        if "'" not in text:
            kinds.append(f"'''{text}'''")
        return self.pick(*kinds)

    def array(self, texts: Sequence[str]) -> str:
        items = [self.pick(_basic(text), _basic(text), f"'{text}'") for text in texts]
        if not items:
            return self.pick("[]", "[ ]", f"[ {self.comment()}\n]")
        style = self.pick("line", "tight", "padded", "lines", "mixed")
        if style == "lines":
            return self._lines(items)
        if style == "mixed":
            return "[" + items[0] + "".join(f",\n  {item}" for item in items[1:]) + " ]"
        comma = "," if style == "tight" else ", "
        pad = " " if style == "padded" else ""
        return "[" + pad + comma.join(items) + self.pick("", "", ",") + pad + "]"

    def _lines(self, items: Sequence[str]) -> str:
        indent = self.pick("  ", "    ", "\t")
        lines = ["[" + self.tail()]
        for place, item in enumerate(items):
            if self.chance(20):
                lines.append(indent + self.comment())
            last = place == len(items) - 1
            lines.append(indent + item + (self.pick(",", "") if last else ",") + self.tail())
        return "\n".join(lines) + "\n]"

    def pair(self, key: str, value: str, indent: str = "") -> str:
        quoted = f'"{key}"' if key.isalpha() and self.chance(10) else key
        equals = self.pick(" = ", " = ", "=", "  =  ", "\t= ")
        return f"{indent}{quoted}{equals}{value}{self.tail()}\n"

    def user_value(self) -> str:
        return self.pick(*_ODD, *_LONG, *(_basic(text) for text in _TEXTS))


def _basic(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t") + '"'


def _fields(writer: _Writer, place: int, *, bare: bool) -> list[tuple[str, str]]:
    """Draw the keys of task number `place`, as (key, value text)."""
    text = writer.array if not bare else _flat_array(writer)
    string = writer.string if not bare else _basic
    pairs = [("description", string(writer.pick(*_TEXTS)))]
    if not writer.chance(15):
        pairs.insert(0, ("id", string(f"t{place}")))
    for key, value, percent in (
        ("status", writer.pick(*sorted(STATUSES)), 70),
        ("agent", writer.pick("dev", "ops", ""), 50),
        ("parent", f"t{place - 1}" if place and writer.chance(0) else "", 10),
    ):
        if writer.chance(percent):
            pairs.append((key, string(value)))
    for key in ("tags", "depends_on"):
        if writer.chance(40):
            size = writer.random.randint(0, 3) if key == "tags" else 0
            pairs.append((key, text(["alpha", "b c", "[x]"][:size])))
    for key in writer.random.sample(_USER_KEYS, writer.random.randint(0, 2)):
        pairs.append((key, "1" if bare else writer.user_value()))
    if writer.chance(20):
        pairs += [("extra.a", "1"), ("extra . b.c", '"deep"')]
    if writer.chance(25):
        writer.random.shuffle(pairs)
    return pairs


def _flat_array(writer: _Writer) -> Callable[[Sequence[str]], str]:
    return lambda texts: "[" + writer.pick(", ", ",").join(map(_basic, texts)) + "]"


def _block(writer: _Writer, place: int) -> str:
    header = writer.pick(*["[[tasks]]"] * 6, "[[ tasks ]]", '[["tasks"]]', "[[ 'tasks']]")
    indent = writer.pick(*[""] * 5, "  ", "\t")
    fields = _fields(writer, place, bare=False)
    lines = [f"{indent}{header}{writer.tail()}\n"]
    for key, value in fields:
        lines += (writer.gap() if writer.chance(10) else "", writer.pair(key, value, indent))
    dotted = any(key.startswith("extra") for key, _ in fields)
    if writer.chance(20):
        lines += (writer.gap(), _other_table(writer, place))
    if writer.chance(15) and not dotted:
        lines += (writer.gap(), f"[tasks.extra]{writer.tail()}\n", writer.pair("deep", "1"))
        lines += (writer.pair("more.still", '"x"'),) if writer.chance() else ()
        lines += ("[tasks.extra.under]\n", writer.pair("n", "2")) if writer.chance() else ()
    if writer.chance(15):
        for _ in range(2):
            lines += (writer.gap(), "[[tasks.steps]]\n", writer.pair("what", '"step"'))
    return "".join(lines)


def _other_table(writer: _Writer, place: int) -> str:
    return f"[other{place}.sub]{writer.tail()}\n" + writer.pair("key", writer.user_value())


def _inline_tasks(writer: _Writer, size: int) -> str:
    on_lines = writer.chance(60)
    tables = []
    for place in range(size):
        pairs = ", ".join(f"{key} = {value}" for key, value in _fields(writer, place, bare=True))
        tables.append(writer.pick("{ %s }", "{%s}") % pairs)
    if not on_lines:
        return "tasks = [" + ", ".join(tables) + "]\n"
    lines = [f"  {table},{writer.tail()}\n" for table in tables]
    return "tasks = [\n" + "".join(lines) + "]" + writer.tail() + "\n"


def _meta(writer: _Writer, style: str) -> str:
    description = writer.string("a plan")
    if style == "dotted":
        return writer.pair("meta.description", description) + writer.pair("meta . owner", '"me"')
    if style == "inline":
        return writer.pair("meta", '{ description = "a plan", default_agent = "dev" }')
    header = writer.pick("[meta]", "[ meta ]", '["meta"]')
    lines = [f"{header}{writer.tail()}\n", writer.pair("description", description)]
    if writer.chance():
        lines.append(writer.pair("default_agent", '"dev"'))
    if writer.chance(20):
        lines.append(writer.pair("limits", "{ days = 3, people = [ 1, 2 ] }"))
    if writer.chance(20):
        lines += (writer.gap(), "[meta.links]\n", writer.pair("home", '"x"'))
    return "".join(lines)


def _with_newlines(text: str, style: str) -> str:
    if style == "mixed":
        turns = iter(("\n", "\r\n") * (text.count("\n") + 1))
        return re.sub("\n", lambda _: next(turns), text)
    return text.replace("\n", style)


@st.composite
def plan_files(draw: st.DrawFn, max_tasks: int = 4) -> bytes:
    """Make the bytes of a valid plan with one task or more."""
    size = draw(st.integers(1, max_tasks))
    writer = _Writer(Random(draw(st.integers(0, 2**32))))
    meta = writer.pick("head", "head", "tail", "none", "dotted", "inline")
    parts = [writer.pick("", "", "#:schema ./plan.json\n"), writer.gap()]
    if writer.chance(15):
        parts.append(writer.pair("title", writer.user_value()))
    if meta in ("dotted", "inline"):
        parts += (_meta(writer, meta), writer.gap())
    inline = writer.chance(15)
    if inline:
        parts += (_inline_tasks(writer, size), writer.gap())
    if meta == "head":
        parts += (_meta(writer, meta), writer.gap())
    if not inline:
        for place in range(size):
            parts += (_block(writer, place), writer.gap())
    if meta == "tail":
        parts += (_meta(writer, meta), writer.gap())
    if writer.chance(15):
        parts += ("[last]\n", writer.pair("key", "1"))
    text = "".join(parts)
    if writer.chance(20):
        text = text.rstrip("\n")
    text = _with_newlines(text, writer.pick("\n", "\n", "\r\n", "mixed"))
    return (b"\xef\xbb\xbf" if writer.chance(15) else b"") + text.encode()


_new_texts = st.sampled_from(
    [*_TEXTS[:-1], "two\nlines", "\nleading", '"""', "'''", "end'", 'end"', "\x07", "\r"]
)
_scalars = st.one_of(
    _new_texts,
    st.integers(-5, 10**6),
    st.sampled_from([Literal("true"), Literal("1.5"), Literal("nan")]),
)
values: st.SearchStrategy[Value] = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "c d", "é", "deep"]), inner, max_size=3)
    ),
    max_leaves=5,
)
_lists = st.lists(st.sampled_from(["alpha", "b c", "[x]", "new", "it's"]), unique=True, max_size=4)


def _retouched(value: Value) -> st.SearchStrategy[MaybeValue]:
    """Change a value a little: a leaf of a table, an item of a list; or replace it."""
    if isinstance(value, dict) and value:
        return st.sampled_from(sorted(value)).flatmap(
            lambda key: st.one_of(
                _retouched(value[key]).map(lambda new: _with(value, key, new)),
                values.map(lambda new: {**value, "added": new}),
            )
        )
    if isinstance(value, list) and value:
        return st.one_of(
            st.permutations(value),
            st.integers(0, len(value) - 1).map(lambda at: value[:at] + value[at + 1 :]),
            _retouched(value[0]).map(lambda new: value if new is ABSENT else [new, *value[1:]]),
            values.map(lambda new: [*value, new]),
        )
    return st.one_of(st.just(ABSENT), values)


def _with(value: dict[str, Value], key: str, new: MaybeValue) -> dict[str, Value]:
    kept = {name: item for name, item in value.items() if name != key}
    return kept if new is ABSENT else {**value, key: new}


def _edit(plan: Plan, identifier: str) -> st.SearchStrategy[Change]:
    fields = plan.meta if identifier == META_ID else plan.tasks[identifier].fields
    known: dict[str, st.SearchStrategy[MaybeValue]] = {
        "description": _new_texts,
        "status": st.sampled_from(sorted(STATUSES)),
        "agent": st.one_of(st.just(ABSENT), _new_texts),
        "parent": st.one_of(st.just(ABSENT), _new_texts),
        "tags": _lists.map(lambda items: items or ABSENT),
        "depends_on": _lists.map(lambda items: items or ABSENT),
    }
    if identifier == META_ID:
        known = dict.fromkeys(("description", "default_agent"), known["agent"])
    rest = [name for name in fields if name not in known] + ["brand_new", "new key"]

    def edited(name: str) -> st.SearchStrategy[Change]:
        old = fields.get(name, ABSENT)
        user = values if old is ABSENT else st.one_of(values, _retouched(old))
        return known.get(name, user).map(lambda value: Edited(identifier, name, old, value))

    return st.sampled_from([*known, *rest]).flatmap(edited)


def edits_to(plan: Plan) -> st.SearchStrategy[Change]:
    """Make one edit of one field of a task, or of `[meta]`."""
    return st.sampled_from([META_ID, *plan.tasks]).flatmap(lambda name: _edit(plan, name))


def _additions() -> st.SearchStrategy[Change]:
    fields = st.fixed_dictionaries(
        {"description": _new_texts, "status": st.sampled_from(sorted(STATUSES))},
        optional={"tags": _lists.filter(bool), "agent": st.just("dev"), "user key": values},
    )
    ids = st.sampled_from(["n1", "n2", "n3"])
    return st.builds(lambda name, made: Added(Task(name, made)), ids, fields)


def changes_to(plan: Plan) -> st.SearchStrategy[list[Change]]:
    """Make changes of any kind, none twice for the same thing."""
    removals = st.sampled_from([*plan.tasks.values()]).map(Removed)
    one = st.one_of(edits_to(plan), edits_to(plan), _additions(), removals)
    return st.lists(
        one, max_size=6, unique_by=lambda change: (change.id, getattr(change, "field", ""))
    )
