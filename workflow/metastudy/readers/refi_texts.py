"""The texts of a REFI-QDA project: inside the XML, beside it, of a page or of a recording."""

from __future__ import annotations

import codecs
from xml.etree.ElementTree import Element

from metastudy.readers.archives import Archive
from metastudy.readers.refi_selections import child, children
from metastudy.readers.refusals import refuse

__all__ = ["source_text"]


def source_text(archive: Archive, folder: str, source: Element) -> tuple[str | None, str]:
    """Give a source's text, or ``None`` and why there is none; no reason for rich text alone.

    Parameters
    ----------
    archive : the project's archive.
    folder : where the project is in it, ``""`` for its root.
    source : may be a recording, whose text is its transcript.
    """
    transcripts = list(children(source, "Transcript"))
    holders = (source, child(source, "Representation"), *transcripts)
    reasons: list[str] = []
    rich = False
    for holder in holders:
        if holder is None:
            continue
        inline = child(holder, "PlainTextContent")
        if inline is not None:
            return inline.text or "", ""
        path = holder.get("plainTextPath")
        text = _member_text(archive, folder, path) if path else None
        if text is not None:
            return text, ""
        if path:
            kind = path.partition("://")[0]
            outside = "://" in path and kind != "internal"
            reasons.append(
                f"it is outside the archive ({kind} path)" if outside else "its file is missing"
            )
        rich = rich or holder.get("richTextPath") is not None
    return None, "" if rich and not reasons else " and ".join(reasons) or "it names no file"


def _member_text(archive: Archive, folder: str, path: str) -> str | None:
    """Give a source's text with its line ends as they are; ``None`` if it is not inside."""
    name = path.partition("://")[2] if "://" in path else path
    name = name.replace("\\", "/").removeprefix("/").lower()
    start = f"{folder}/" if folder else ""
    for candidate in (f"{start}sources/{name}", f"{start}{name}", f"sources/{name}", name):
        if candidate in archive.members:
            content = archive.bytes(candidate)
            wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
            try:
                return content.decode("utf-16" if wide else "utf-8-sig")
            except UnicodeDecodeError:
                raise refuse(
                    archive.codebook,
                    f"the text {archive.members[candidate].filename}, which is not UTF-8",
                    "plain texts in UTF-8",
                    "export the project again",
                    code="encoding",
                ) from None
    return None
