"""The command line, publishing on forges that run here."""
