"""Declarative GitOps reconciler for release plans."""

__version__ = "0.1.0"
