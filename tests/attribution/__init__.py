"""Who and when: git's blame of plan files."""
