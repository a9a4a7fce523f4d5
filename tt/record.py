"""Frozen value classes that cost little to define.

A `dataclass` takes more than a millisecond each to define, and its module imports `inspect`; with
the fifty classes that a sync meets, that was a quarter of its time. A `record` does the part that
is used here: fields in order with defaults, `==`, `hash` and `repr` by fields, slots, no assignment
afterwards. Type checkers treat it as a dataclass (PEP 681).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast, dataclass_transform, overload

_T = TypeVar("_T")
_NONE: Final = object()


class _Field:
    """What `field(…)` says of one field until its class is made."""

    __slots__ = ("compare", "default", "factory", "shown")

    def __init__(
        self,
        default: object = _NONE,
        factory: Callable[[], object] | None = None,
        *,
        compare: bool = True,
        shown: bool = True,
    ) -> None:
        self.default, self.factory, self.compare, self.shown = default, factory, compare, shown


def field(
    *,
    default: Any = _NONE,
    default_factory: Callable[[], Any] | None = None,
    compare: bool = True,
    repr: bool = True,  # noqa: A002  the name that dataclasses use, and type checkers know
) -> Any:
    """Describe a field: a default made anew each time, or one left out of `==` or of `repr`."""
    return _Field(default, default_factory, compare=compare, shown=repr)


@overload
def record(cls: type[_T], /) -> type[_T]: ...
@overload
def record(*, frozen: bool = True) -> Callable[[type[_T]], type[_T]]: ...


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[_T] | None = None, /, *, frozen: bool = True) -> Any:
    """Make a value class of annotated names; `frozen=False` lets its fields be assigned to."""
    if cls is None:
        return lambda wanted: _make(wanted, frozen)
    return _make(cls, frozen)


def replace(value: _T, **changes: Any) -> _T:
    """Return a copy of a record with some fields changed."""
    return value.__class__(**{**as_dict(value), **changes})


def names_of(value: object) -> tuple[str, ...]:
    """Return the names of a record's fields in order; TypeError for anything else."""
    names = getattr(value, "__record__", None)
    if names is None:
        raise TypeError(f"no record: {value!r}")
    return tuple(names)


def as_dict(value: object) -> dict[str, Any]:
    """Return a record's fields by name; their values are as they are."""
    return {name: getattr(value, name) for name in names_of(value)}


def is_record(value: object) -> bool:
    """Say whether this is a record (and not a class of records)."""
    return hasattr(value, "__record__") and not isinstance(value, type)


def _make(cls: type[_T], frozen: bool) -> type[_T]:
    space = {k: v for k, v in cls.__dict__.items() if k not in ("__dict__", "__weakref__")}
    names = tuple(name for name in space.get("__annotations__", {}) if not _is_class_var(cls, name))
    fields = {name: _described(space.pop(name, _NONE)) for name in names}
    space |= {"__slots__": names, "__match_args__": names, "__record__": names}
    space["__compared__"] = tuple(name for name, given in fields.items() if given.compare)
    space["__shown__"] = tuple(name for name, given in fields.items() if given.shown)
    for name, method in _METHODS.items():
        space.setdefault(name, method)
    if frozen:
        space |= {"__hash__": _hash, "__setattr__": _refuse, "__delattr__": _refuse}
    made: Any = type(cls.__name__, cls.__bases__, space)
    made.__init__ = _first_initializer(made, fields)
    return cast("type[_T]", made)


def _is_class_var(cls: type, name: str) -> bool:
    return str(cls.__annotations__[name]).startswith("ClassVar")


def _described(given: object) -> _Field:
    return given if isinstance(given, _Field) else _Field(given)


def _first_initializer(cls: Any, fields: dict[str, _Field]) -> Callable[..., None]:
    """Return what writes `__init__` when the first record is made, and puts it in its own place.

    A process makes records of half the classes that it meets.
    """

    def __init__(self: object, *given: object, **named: object) -> None:  # noqa: N807
        made = _initializer(cls, fields)
        cls.__init__ = made
        made(self, *given, **named)

    return __init__


def _initializer(cls: type, fields: dict[str, _Field]) -> Callable[..., None]:
    """Write `__init__` as source, as dataclasses do: a loop over fields takes three times as long.

    Slots are set by their own descriptors, which a frozen class's `__setattr__` does not stop.
    """
    scope: dict[str, Any] = {"_NONE": _NONE}
    parameters, body = ["self"], []
    for name, given in fields.items():
        scope[f"_set_{name}"] = cls.__dict__[name].__set__
        value = name
        if given.factory is not None:
            scope[f"_new_{name}"] = given.factory
            parameters.append(f"{name}=_NONE")
            value = f"_new_{name}() if {name} is _NONE else {name}"
        elif given.default is not _NONE:
            scope[f"_default_{name}"] = given.default
            parameters.append(f"{name}=_default_{name}")
        else:
            parameters.append(name)
        body.append(f"    _set_{name}(self, {value})")
    source = f"def __init__({', '.join(parameters)}):\n" + ("\n".join(body) or "    pass")
    exec(source, scope)  # noqa: S102  names come from class bodies in this package
    made: Callable[..., None] = scope["__init__"]
    return made


def _equal(self: Any, other: Any) -> bool:
    if other.__class__ is not self.__class__:
        return cast("bool", NotImplemented)
    for name in self.__compared__:
        ours, theirs = getattr(self, name), getattr(other, name)
        if ours is not theirs and ours != theirs:
            return False
    return True


def _hash(self: Any) -> int:
    return hash(tuple([getattr(self, name) for name in self.__compared__]))


def _represent(self: Any) -> str:
    shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__shown__)
    return f"{self.__class__.__qualname__}({shown})"


def _refuse(self: Any, name: str, value: object = None) -> None:
    raise AttributeError(f"{self.__class__.__name__} is frozen: `{name}` cannot be set")


def _reduce(self: Any) -> tuple[Any, ...]:
    return self.__class__, tuple(getattr(self, name) for name in self.__record__)


_METHODS: Final[dict[str, Any]] = {
    "__eq__": _equal,
    "__hash__": None,
    "__repr__": _represent,
    "__reduce__": _reduce,
}
