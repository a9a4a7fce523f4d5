"""Configuration: flags, environment and files become one frozen Config that knows its origins."""
