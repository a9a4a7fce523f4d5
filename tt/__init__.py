"""tt: a plan of tasks in a tracked file, its execution in Redis, and the two kept in step."""

__version__ = "0.1.0"
