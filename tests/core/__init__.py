"""Tests of the pure core; a package, so that they share the values they are made of."""
