"""Models: a folder for each kind, a registry of all, and what they share."""
