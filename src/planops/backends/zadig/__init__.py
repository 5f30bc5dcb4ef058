"""Zadig release plans: whole plans are replaced, target states are named."""
