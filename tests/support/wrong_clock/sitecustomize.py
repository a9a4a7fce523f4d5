"""A clock that is wrong by `WRONG_BY` seconds, for processes that have this on their path."""

import os
import time

_WRONG = float(os.environ.get("WRONG_BY", "0"))
_seconds, _nanoseconds = time.time, time.time_ns

time.time = lambda: _seconds() + _WRONG
time.time_ns = lambda: _nanoseconds() + round(_WRONG * 1e9)
