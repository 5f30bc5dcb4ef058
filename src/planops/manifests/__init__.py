"""The user's files: strict YAML, schemas, cross-field rules, settings, loading.

Decides what the files say and what is wrong with them; never calls a server and never writes.
"""
