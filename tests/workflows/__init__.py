"""What workflows, the action and the templates promise."""
