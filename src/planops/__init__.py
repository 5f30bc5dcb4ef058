"""Declarative GitOps reconciler for release plans."""
