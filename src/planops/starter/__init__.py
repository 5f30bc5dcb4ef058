"""What a repository of plans starts with: settings, a plan, schemas for editors, a forge's jobs.

Beside the modules lie the files themselves, each a sound file of its kind with words that stand for
what is not known yet, such as ``example-target``: linters read them as they are.
"""
