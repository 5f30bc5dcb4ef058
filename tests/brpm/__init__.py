"""The BRPM backend's parts, without a run."""
