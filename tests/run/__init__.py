"""The run against the sandbox."""
