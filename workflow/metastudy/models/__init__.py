"""Models: a folder for each kind, a registry of all, and what they share."""

from metastudy.models import backend as backend  # before PyMC is imported
