"""GitHub and GitLab: one comment, labels, one issue; what they have of a pull request."""
