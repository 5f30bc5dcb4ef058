"""Tests of git as the ledger's place, with real repositories; a package below a folder.

The folder itself is none: a package named ``git`` would hide GitPython.
"""
