"""Runs that are cut short, and the next one."""
