"""The models, one screen each."""

from metastudy import backend as backend  # isort: skip  before PyMC is imported

from metastudy.models import answers, codings

__all__ = ["BUILD"]

BUILD = {"answers": answers.build, "codings": codings.build}  # by the kind of a module's model
