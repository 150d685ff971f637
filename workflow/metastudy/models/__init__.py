"""The models, one screen each."""

from metastudy import backend as backend  # isort: skip  before PyMC is imported

from metastudy.models import answers, codings, ordinal

__all__ = ["BUILD"]

BUILD = {
    "answers": answers.build,
    "codings": codings.build,
    "ordinal": ordinal.build,
}  # by the kind of a module's model
