"""How hard property tests try: `TT_TEST_EFFORT` is `dev` (the default), `ci` or `nightly`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from hypothesis import HealthCheck, settings

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
"""Generated plans are large on purpose, and a shared machine is slow at times."""


def _told(name: str, default: str = "") -> str:
    """Return a variable as it was before the guards took it out of the environment.

    Workers of xdist begin with what the guards have left, so they are told by another name.
    """
    value = os.environ.get(f"TT_{name}") or os.environ.get(f"TESTS_{name}") or default
    os.environ[f"TESTS_{name}"] = value
    return value


EFFORT: Final = _told("TEST_EFFORT", "dev")
"""The effort of this run."""

SEED: Final = int(_told("TEST_SEED", "1"))
"""The first seed of random stories (`test_chaos`); another one makes stories never told before."""

NEW_GIT: Final = _told("TEST_NEW_GIT")
"""The path of a `git` that has hooks in its configuration; empty where nobody named one."""


_CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
CLIS: Final = os.environ.get("TT_TEST_CLIS") or os.environ.get("TESTS_CLIS", "")
"""The directory of real AI programs, empty where nobody has named one (see `real_clis`)."""

CLIS_CACHE: Final = os.environ.get("TESTS_CLIS_CACHE") or (
    str(_CACHE / "tt-test-clis") if EFFORT == "nightly" else ""
)
"""The directory that the `nightly` effort has for them, empty in any other."""

# Workers of xdist begin with what the guards have left of the environment.
os.environ |= {"TESTS_CLIS": CLIS, "TESTS_CLIS_CACHE": CLIS_CACHE}


def load_effort() -> str:
    """Register the Hypothesis profiles, make the chosen one current, and return its name.

    No profile has a deadline for one example: on a machine that is shared it would fail at random.
    In `ci` the examples are the same in every run, so that a failure is the change's own.
    """
    settings.register_profile("dev", max_examples=50, deadline=None, suppress_health_check=SLOW)
    settings.register_profile(
        "ci", max_examples=50, deadline=None, derandomize=True, suppress_health_check=SLOW
    )
    settings.register_profile(
        "nightly", max_examples=5_000, deadline=None, suppress_health_check=SLOW
    )
    settings.load_profile(EFFORT)
    return EFFORT
