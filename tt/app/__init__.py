"""Use cases: load, let core decide, apply, return a report. No printing."""
