"""Building many objects at once, undisturbed."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def undisturbed() -> Iterator[None]:
    """Keep the cycle collector away: it would walk over what is being built, again and again.

    None of it is garbage; with 10,000 tasks it is a fourth of the time that reading them takes.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
