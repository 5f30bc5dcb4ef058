"""GitHub and GitLab: decisions, clients against loopback servers, events, outputs, a story."""
