"""Tests of the renderers; a package, so that they share the cases."""
