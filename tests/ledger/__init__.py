"""Tests of git as the ledger's place, with real repositories."""
