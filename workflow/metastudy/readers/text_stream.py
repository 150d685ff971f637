"""A text file as a stream of blocks: encoding, line ends, NUL bytes, and the line of each byte."""

from __future__ import annotations

import codecs
import io
import re

from metastudy.codebook.codebook import Codebook
from metastudy.common.problems import BadInput
from metastudy.common.text import shown
from metastudy.readers.refusals import refuse
from metastudy.readers.signatures import what_it_is

__all__ = ["BLOCK", "Text", "separator", "without_preamble"]

BLOCK = 2**21  # bytes that are read at a time; a record that is longer is refused
_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# The first line of a file that tells Excel its delimiter; in Excel the header is row 1 below it.
_SEPARATOR = re.compile(rb"\A\"?sep=(?P<mark>[^\r\n])\"?[,;\t|]*(\r\n|\r|\n)", re.IGNORECASE)
_WIDE = ("utf-16", "utf-32")


def without_preamble(text: bytes) -> bytes:
    """Take off what is before the header: byte order marks, and Excel's line ``sep=;``."""
    while text.startswith(codecs.BOM_UTF8):
        text = text.removeprefix(codecs.BOM_UTF8)
    return _SEPARATOR.sub(b"", text, count=1)


def separator(text: str) -> str | None:
    """Give the delimiter that a first line ``sep=;`` names, as Excel understands it."""
    found = _SEPARATOR.match(text.lstrip("\ufeff").encode("utf-8", "ignore"))
    return found["mark"].decode() if found else None


class Text(io.RawIOBase):
    """A data file as a stream of UTF-8, whatever its encoding, without a byte order mark.

    Parameters
    ----------
    codebook : names the file and its encoding.
    end : what is given after the last line, to see that the last record has an end.
    """

    def __init__(self, codebook: Codebook, end: str = "") -> None:
        super().__init__()
        self.codebook = codebook
        self.failure: BadInput | None = None
        self.separator: str | None = None  # that a first line names, once it is read
        self._file = codebook.data_path.open("rb")
        self._declared = codebook.file.encoding or "utf-8"
        try:
            "".encode(self._declared)  # refuses what is a codec, but not of text
            self._name = codecs.lookup(self._declared).name.removesuffix("-sig")
            self._decoder = codecs.getincrementaldecoder(self._name)()
        except (LookupError, ValueError, TypeError):
            raise refuse(
                codebook,
                f"the encoding '{self._declared}', which is not known",
                "an encoding such as utf-8, cp1252 or utf-16",
                f"correct file.encoding in {shown(codebook.path)}",
                code="encoding",
            ) from None
        plain = self._name != "utf-8" and not self._name.startswith(_WIDE)
        self._utf8 = codecs.getincrementaldecoder("utf-8")() if plain else None
        self._ascii, self._first, self._last = True, True, b""
        self._end, self._done, self._ready = end.encode(), False, b""

    def readable(self) -> bool:
        """A stream for reading."""
        return True

    def close(self) -> None:
        """Close the file too."""
        if not self.closed:
            self._file.close()
        super().close()

    def read(self, size: int = -1) -> bytes:
        """Give exactly ``size`` bytes, fewer only at the end."""
        while not self._done and (size < 0 or len(self._ready) < size):
            try:
                self._ready += self._more()
            except BadInput as failure:
                self.failure = failure
                raise
        size = len(self._ready) if size < 0 else size
        given, self._ready = self._ready[:size], self._ready[size:]
        return given

    def _more(self) -> bytes:
        content = self._file.read(BLOCK)
        if self._first:
            self._look(content)
        self._done = not content
        plain = content.isascii()
        self._ascii = self._ascii and plain
        try:
            if plain and content and self._name == "utf-8" and not self._decoder.getstate()[0]:
                text = content  # as it is, and most text does
            else:
                text = self._decoder.decode(content, final=self._done).encode()
        except UnicodeDecodeError as error:
            raise self._wrong(error, len(content)) from None
        if b"\0" in text:
            before = self._file.tell() - len(content)
            if not self._name.startswith(_WIDE):  # in which every other byte of a letter is NUL
                before += max(content.find(b"\0"), 0)  # some encodings spell it in other bytes
            raise refuse(
                self.codebook,
                f"a NUL character near line {self._lines(before) + 1}",
                f"delimited text in {self._declared}",
                "save the data as delimited text again; the file may be damaged, or in another "
                "encoding than file.encoding says",
            )
        if self._utf8:
            self._try_utf8(content)
        if self._first:
            self.separator = separator(text[:64].decode("utf-8", "ignore"))
            text = without_preamble(text)
            self._first = False
        self._last = text[-1:] or self._last
        if self._done and self._end:
            text += (b"" if self._last in (b"\n", b"\r", b"") else b"\n") + self._end
        return text

    def _lines(self, until: int) -> int:
        """Count the lines that end before a byte of the file."""
        return self.codebook.data_path.read_bytes()[:until].count(b"\n")

    def _look(self, start: bytes) -> None:
        """Refuse at once what is no text, or text in UTF-16 where something else is declared."""
        kind = what_it_is(start[:4096])
        wide = self._name.startswith(_WIDE)
        if kind in ("a text file", "an XML document") or (kind == "a binary file" and wide):
            return
        marked = start.startswith(_MARKS)
        raise refuse(
            self.codebook,
            "text in UTF-16" if marked else kind,
            f"delimited text in {self._declared}",
            f"set file.encoding to utf-16 in {shown(self.codebook.path)}"
            if marked
            else "put the data file in again"
            if not start
            else "save the data as delimited text, or correct file.format in the codebook",
            code="encoding" if marked else "wrong-format",
        )

    def _wrong(self, error: UnicodeDecodeError, size: int) -> BadInput:
        before = self._lines(self._file.tell() - size)
        row = before + error.object[: error.start].count(b"\n") + 1
        found = error.object[error.start : error.start + 1]
        return refuse(
            self.codebook,
            f"bytes that are not {self._declared} ({found!r} on line {row})",
            f"text in {self._declared}",
            f"save the file as {self._declared}, or name its true encoding under file.encoding in "
            f"{shown(self.codebook.path)}",
            code="encoding",
            row=f"{row} (line)",
        )

    def _try_utf8(self, content: bytes) -> None:
        """Refuse UTF-8 that is declared as something else, once it is known to the end."""
        try:
            if self._utf8:
                self._utf8.decode(content, final=self._done)
        except UnicodeDecodeError:
            self._utf8 = None
            return
        if self._done and not self._ascii:
            # Only by a rare accident is text in a one-byte encoding valid UTF-8 too.
            raise refuse(
                self.codebook,
                "text in UTF-8",
                f"text in {self._declared}, as the codebook says",
                f"set file.encoding to utf-8 in {shown(self.codebook.path)}",
                code="encoding",
            )
