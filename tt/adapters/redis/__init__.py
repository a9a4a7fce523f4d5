"""The store: tinytown's keys and formats, over hiredis."""
