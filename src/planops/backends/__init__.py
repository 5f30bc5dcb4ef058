"""One package a server, and the one HTTP client that all of them share."""
