"""Git, through GitPython: the only importer of ``git``."""
