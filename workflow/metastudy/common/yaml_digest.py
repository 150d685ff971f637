"""The digest of what a YAML file says, without comments, spacing and quotes that decide nothing.

It is taken from the parser's events, as nothing is built then: an alias stays an alias, whatever it
would grow to, and a text that looks like a number keeps its type by its tag.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

__all__ = ["yaml_digest"]

SUFFIXES = (".yaml", ".yml")
MOST_BYTES = 4 * 2**20  # as much as is read of a YAML file anywhere


def yaml_digest(path: Path) -> str | None:
    """Digest of a YAML document, of the order of its keys and the types of its values too.

    Returns
    -------
    SHA-256 in hexadecimal; ``None`` for what is no YAML file, or none that can be parsed, which
    counts by its bytes.
    """
    if path.suffix not in SUFFIXES or not path.is_file() or path.stat().st_size > MOST_BYTES:
        return None
    import yaml  # most jobs have no such input

    digest = hashlib.sha256(b"yaml")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(path.read_bytes())
    try:
        while loader.check_event():
            event = loader.get_event()
            tag, value = getattr(event, "tag", None), getattr(event, "value", None)
            if isinstance(event, yaml.ScalarEvent) and tag in (None, "!"):
                tag = loader.resolve(yaml.ScalarNode, value, event.implicit)
            said = (type(event).__name__, getattr(event, "anchor", None), tag, value)
            digest.update(repr(said).encode())
    except (yaml.YAMLError, UnicodeError):
        return None
    finally:
        loader.dispose()
    return digest.hexdigest()
