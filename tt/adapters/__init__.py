"""One outside system a module, and the only place that imports its library."""
