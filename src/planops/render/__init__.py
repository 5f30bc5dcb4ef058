"""Renderers: a report in, text out. Pure; every format has its one escape in ``escape.py``."""
