"""The Zadig backend's pure half."""
