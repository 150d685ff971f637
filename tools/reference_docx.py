"""Make the Word styles: pandoc's own reference document with another look.

``python tools/reference_docx.py manuscript/assets/reference.docx`` writes the committed file
anew. Both engines read it. A test compares the two, so an edit of the file by hand is noticed; to
change the look, change this module. The styles are pandoc's, and those of OURS below.
"""

from __future__ import annotations

import io
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

from metastudy.manuscript.pandoc import pandoc_path

__all__ = ["reference_document"]

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
NAMESPACES = f'xmlns:w="{W}" xmlns:r="{R}"'
FOOTER_TYPE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/footer"
FOOTER_CONTENT = "application/vnd.openxmlformats-officedocument.wordprocessingml.footer+xml"
SERIF, SANS, MONO = "Cambria", "Calibri", "Consolas"
INK, GREY = "17364F", "555E68"


def _font(name: str) -> str:
    return f'<w:rFonts w:ascii="{name}" w:hAnsi="{name}" w:eastAsia="{name}" w:cs="{name}"/>'


def _run(size: float, color: str | None = None, font: str = SERIF, *flags: str) -> str:
    """Properties of the letters: size in points, colour, font, and flags: b is bold, B not bold."""
    marks = "".join(f'<w:{flag.lower()} w:val="{int(flag.islower())}"/>' for flag in flags)
    tint = f'<w:color w:val="{color}"/>' if color else ""
    half = round(size * 2)
    return f'{_font(font)}{marks}{tint}<w:sz w:val="{half}"/><w:szCs w:val="{half}"/>'


def _box(line: str, fill: str, before: int, after: int) -> str:
    """Paragraph properties of a tinted box with a bar; spaces in twentieths of a point."""
    return (
        f'<w:pBdr><w:left w:val="single" w:sz="24" w:space="8" w:color="{line}"/></w:pBdr>'
        f'<w:shd w:val="clear" w:color="auto" w:fill="{fill}"/>'
        f'<w:spacing w:before="{before}" w:after="{after}"/>'
        '<w:ind w:left="227" w:right="227"/><w:jc w:val="left"/>'
    )


def _space(before: int, after: int, extra: str = "", first: str = "") -> str:
    return f'{first}<w:spacing w:before="{before}" w:after="{after}"/>{extra}'


LEFT = '<w:jc w:val="left"/>'
KEEP = "<w:keepNext/><w:keepLines/>"
# style id -> (paragraph properties, run properties)
LOOK = {
    "BodyText": (_space(0, 140), ""),
    "FirstParagraph": (_space(120, 140), ""),
    "Compact": (_space(30, 30), ""),
    "Title": (_space(240, 80, LEFT, KEEP), _run(20, INK, SERIF, "b")),
    "Subtitle": (_space(0, 160, LEFT, KEEP), _run(13, GREY, SERIF, "B", "i")),
    "Author": (_space(120, 40, LEFT, KEEP), _run(11, "1D2126", SERIF, "B")),
    "Date": (_space(0, 200, LEFT, KEEP), _run(9.5, GREY, SERIF, "B")),
    "AbstractTitle": (_space(200, 60, LEFT, KEEP), _run(10, INK, SANS, "b")),
    "Abstract": (_space(0, 100, '<w:ind w:left="0" w:right="0"/>'), _run(10)),
    "Heading1": (_space(360, 40, LEFT, KEEP), _run(15, INK, SERIF, "b")),
    "Heading2": (_space(280, 20, LEFT, KEEP), _run(12.5, INK, SERIF, "b")),
    "Heading3": (_space(220, 0, LEFT, KEEP), _run(11, INK, SERIF, "i")),
    "ImageCaption": (_space(60, 280, LEFT), _run(9.5, GREY, SANS, "I")),
    "TableCaption": (_space(240, 80, LEFT, "<w:keepNext/>"), _run(9.5, GREY, SANS, "I")),
    "CaptionedFigure": (_space(200, 0, '<w:jc w:val="center"/>', "<w:keepNext/>"), ""),
    "Bibliography": (_space(0, 100, '<w:ind w:left="360" w:hanging="360"/>'), _run(10)),
    "FootnoteText": (_space(0, 40), _run(9)),
    "Hyperlink": (None, '<w:color w:val="1F5F8B"/>'),
}
OURS = {
    "CalloutTitle": ("Callout Title", _space(0, 40, "", "<w:keepNext/>"), _run(10, INK, SANS)),
    "TableText": ("Table Text", _space(20, 20), _run(9, None, SANS)),
    "TableTextSmall": ("Table Text Small", _space(15, 15), _run(7, None, SANS)),
    "Provenance": ("Provenance", _box("B7791F", "FFF4D6", 120, 160), _run(10, "5C3D00", SANS)),
}
RULE = '<w:{edge} w:val="single" w:sz="{width}" w:space="0" w:color="1D2126"/>'
TABLE = f"""<w:style {NAMESPACES} w:type="table" w:default="1" w:customStyle="1" w:styleId="Table">
<w:name w:val="Table"/><w:basedOn w:val="TableNormal"/>
<w:semiHidden/><w:unhideWhenUsed/><w:qFormat/>
<w:pPr><w:spacing w:before="30" w:after="30"/><w:jc w:val="left"/></w:pPr>
<w:tblPr><w:tblInd w:w="0" w:type="dxa"/>
<w:tblBorders>{RULE.format(edge="top", width=10)}
{RULE.format(edge="bottom", width=10)}</w:tblBorders>
<w:tblCellMar><w:top w:w="20" w:type="dxa"/><w:left w:w="50" w:type="dxa"/>
<w:bottom w:w="20" w:type="dxa"/><w:right w:w="50" w:type="dxa"/></w:tblCellMar></w:tblPr>
<w:tblStylePr w:type="firstRow"><w:rPr><w:b/></w:rPr><w:tblPr/>
<w:tcPr><w:tcBorders>{RULE.format(edge="bottom", width=6)}</w:tcBorders>
<w:vAlign w:val="bottom"/></w:tcPr>
</w:tblStylePr></w:style>"""
FOOTER = f"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<w:ftr {NAMESPACES}><w:p><w:pPr><w:jc w:val="center"/></w:pPr>
<w:r><w:rPr><w:sz w:val="18"/></w:rPr><w:fldChar w:fldCharType="begin"/></w:r>
<w:r><w:rPr><w:sz w:val="18"/></w:rPr><w:instrText xml:space="preserve"> PAGE </w:instrText></w:r>
<w:r><w:rPr><w:sz w:val="18"/></w:rPr><w:fldChar w:fldCharType="separate"/></w:r>
<w:r><w:rPr><w:sz w:val="18"/></w:rPr><w:t>1</w:t></w:r>
<w:r><w:rPr><w:sz w:val="18"/></w:rPr><w:fldChar w:fldCharType="end"/></w:r></w:p></w:ftr>"""
PAGE = (
    '<w:pgSz w:w="11906" w:h="16838"/>'
    '<w:pgMar w:top="1361" w:right="1361" w:bottom="1361" w:left="1361" '
    'w:header="680" w:footer="680" w:gutter="0"/>'
)


def _element(text: str) -> ET.Element:
    """An element from XML in which the prefixes w and r need no declaration."""
    return ET.fromstring(f"<root {NAMESPACES}>{text}</root>")[0]


def _tag(name: str) -> str:
    return f"{{{W}}}{name}"


def _replace(style: ET.Element, name: str, content: str | None) -> None:
    """Give a style new paragraph (pPr) or run (rPr) properties; None keeps what it has."""
    if content is None:
        return
    old = style.find(_tag(name))
    new = _element(f"<w:{name}>{content}</w:{name}>")
    if old is not None:
        level = old.find(_tag("outlineLvl"))  # a heading stays a heading
        if level is not None:
            new.append(level)
        style.remove(old)
    style.append(new)


def _styles(text: bytes) -> bytes:
    """The styles of pandoc with another look, and ours behind them."""
    ET.register_namespace("w", W)
    ET.register_namespace("r", R)
    root = ET.fromstring(text)
    defaults = root.find(f"{_tag('docDefaults')}/{_tag('rPrDefault')}/{_tag('rPr')}")
    if defaults is None:
        raise ValueError("pandoc's reference document has no default properties")
    language = defaults.find(_tag("lang"))
    defaults.clear()
    defaults.extend(_element(f"<w:rPr>{_run(10.5)}</w:rPr>"))
    if language is not None:
        defaults.append(language)
    for style in root.findall(_tag("style")):
        name = style.get(_tag("styleId"), "")
        if name == "Table":
            root[list(root).index(style)] = ET.fromstring(TABLE)
        if name in LOOK:
            _replace(style, "pPr", LOOK[name][0])
            _replace(style, "rPr", LOOK[name][1])
    for name, (title, paragraph, run) in OURS.items():
        root.append(
            _element(
                f'<w:style w:type="paragraph" w:customStyle="1" w:styleId="{name}">'
                f'<w:name w:val="{title}"/><w:basedOn w:val="Normal"/><w:qFormat/>'
                f"<w:pPr>{paragraph}</w:pPr><w:rPr>{run}</w:rPr></w:style>"
            )
        )
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root)


def _with_footer(parts: dict[str, bytes]) -> dict[str, bytes]:
    """The parts of the document with page numbers at the foot and an A4 page."""

    def insert(name: str, before: str, text: str) -> None:
        content = parts[name].decode()
        if content.count(before) != 1:
            raise ValueError(f"pandoc's {name} has not one {before}")
        parts[name] = content.replace(before, text + before).encode()

    insert(
        "word/_rels/document.xml.rels",
        "</Relationships>",
        f'<Relationship Type="{FOOTER_TYPE}" Id="rIdFooter" Target="footer1.xml"/>',
    )
    insert(
        "[Content_Types].xml",
        "</Types>",
        f'<Override PartName="/word/footer1.xml" ContentType="{FOOTER_CONTENT}"/>',
    )
    insert(
        "word/document.xml",
        "<w:footnotePr>",
        '<w:footerReference w:type="default" r:id="rIdFooter"/>',
    )
    insert("word/document.xml", "</w:sectPr>", PAGE)
    return parts | {"word/footer1.xml": FOOTER.encode()}


def reference_document() -> bytes:
    """The reference document: the same bytes for the same version of pandoc."""
    done = subprocess.run(
        [pandoc_path(), "--print-default-data-file=reference.docx"], capture_output=True, check=True
    )
    with zipfile.ZipFile(io.BytesIO(done.stdout)) as archive:
        parts = {info.filename: archive.read(info) for info in archive.infolist()}
    parts["word/styles.xml"] = _styles(parts["word/styles.xml"])
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in _with_footer(parts).items():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return out.getvalue()


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(reference_document())
