"""The models, one screen each."""

from metastudy import backend as backend
