"""Emulators of release-plan servers, for tests, demonstrations and trying planops out.

They are written from the servers' documented behaviour (docs/servers/), never from planops' own
clients, and import nothing else of planops: a mistake made in a client is not repeated here.
"""
