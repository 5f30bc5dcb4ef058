"""The backend for BMC BRPM: its lifecycle, its wire format, its calls (docs/servers/brpm.md)."""
