"""SPSS portable files: the codes that they declare as missing, which their library turns to blanks.

References
----------
GNU PSPP developers' manual, "Portable File Format": records of one character each, numbers to the
base 30 that end in a slash, texts after their length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from metastudy.common.names import name_of

__all__ = ["Ranges", "with_codes"]

Ranges = dict[str, list[dict[str, float | str]]]
_LINE, _TABLES = 80, 456  # characters of a line; of the title and the table of characters
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRST"
_NUMBER = re.compile(rb"\s*(-?[0-9A-T]*)(?:\.([0-9A-T]*))?(?:([+-])([0-9A-T]+))?/")
_LOWEST, _HIGHEST = float("-inf"), float("inf")


@dataclass
class _Records:
    """The text of a portable file, and how far it is read."""

    text: bytes
    at: int

    def character(self) -> str:
        self.at += 1
        return self.text[self.at - 1 : self.at].decode("latin-1")

    def number(self) -> float:
        found = _NUMBER.match(self.text, self.at)
        if found is None:
            raise ValueError(f"no number at {self.at}")
        self.at = found.end()
        whole, part, sign, power = (group.decode() if group else "" for group in found.groups())
        value = float(int(whole.lstrip("-") or "0", 30))
        value += sum(_DIGITS.index(digit) / 30 ** (k + 1) for k, digit in enumerate(part))
        value *= 30.0 ** (int(power, 30) * (-1 if sign == "-" else 1) if power else 0)
        return -value if whole.startswith("-") else value

    def string(self) -> str:
        length = int(self.number())
        self.at += length
        return self.text[self.at - length : self.at].decode("latin-1")

    def value(self, width: float) -> float | str:
        return self.string() if width else self.number()


def with_codes(content: bytes) -> tuple[bytes, Ranges]:
    """Take the declarations of missing codes out of a portable file, so that the codes are read.

    Parameters
    ----------
    content : the file.

    Returns
    -------
    The file without those declarations, and what they said by the variable: ``lo`` and ``hi``, as
    pyreadstat gives them of other files. A file that cannot be followed comes back as it was.
    """
    lines = content.replace(b"\r\n", b"\n").split(b"\n")
    text = b"".join(line.ljust(_LINE) for line in lines if line)
    cuts: list[tuple[int, int]] = []
    ranges: Ranges = {}
    try:
        for name, start, end, low, high in _declared(_Records(text, _TABLES)):
            cuts.append((start, end))
            ranges.setdefault(name, []).append({"lo": low, "hi": high})
    except (ValueError, LookupError):
        return content, {}
    if not cuts:
        return content, {}
    kept = b"".join(
        text[after:start]
        for (_, after), (start, _) in zip([(0, 0), *cuts], [*cuts, (len(text), 0)], strict=True)
    )
    kept = kept.rstrip(b"Z") + b"Z"
    kept += b"Z" * (-len(kept) % _LINE)
    return b"".join(kept[k : k + _LINE] + b"\r\n" for k in range(0, len(kept), _LINE)), ranges


def _declared(
    records: _Records,
) -> Iterator[tuple[str, int, int, float | str, float | str]]:
    """Walk through the dictionary: variable, first and last place, lower and upper end."""
    if records.text[_TABLES:][:8] != b"SPSSPORT":
        raise ValueError("another mark")
    records.at += 9  # the mark, and the version
    records.string(), records.string()  # date and time
    name, widths = "", {"": 0.0}
    while (tag := records.character()) != "F":
        start = records.at - 1
        if tag in "123":  # product, author, other product
            records.string()
        elif tag == "4" or tag == "5":  # number of variables, precision
            records.number()
        elif tag == "6":  # weight
            records.string()
        elif tag == "7":
            width, name = records.number(), records.string().strip()
            widths[name] = width
            for _ in range(6):  # formats to print and to write
                records.number()
        elif tag in "89AB":
            low = _LOWEST if tag == "9" else records.value(widths[name])
            high = low if tag == "8" else _HIGHEST if tag == "A" else records.value(widths[name])
            if isinstance(low, str):
                low = high = low.strip()
            yield name_of(name), start, records.at, low, high
        elif tag == "C":  # label of a variable
            records.string()
        elif tag == "D":
            _labels(records, widths)
        elif tag == "E":
            for _ in range(int(records.number())):
                records.string()
        else:
            raise ValueError(f"the record '{tag}'")


def _labels(records: _Records, widths: dict[str, float]) -> None:
    """Skip labels of values, which are of the kind of the variables that have them."""
    names = [records.string().strip() for _ in range(int(records.number()))]
    for _ in range(int(records.number())):
        records.value(widths[names[0]])
        records.string()
