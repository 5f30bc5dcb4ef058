"""The command line against the sandbox: as a new user and as a hostile one meet it."""
