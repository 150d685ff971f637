-- The mark of simulated data where Quarto renders: a box before the text in HTML, Word and JATS, and
-- in the title, where machines look. The PDF takes both from the Typst templates. Our own renderer
-- has them in its templates, and skips this file because of its name.

local STYLE = "border-left:4px solid #b7791f;background:#fff4d6;color:#5c3d00;"
  .. "padding:.7rem 1rem;margin:0 0 1.5rem"

local function inlines(value)
  return pandoc.utils.type(value) == "Inlines" and value or pandoc.utils.blocks_to_inlines(value)
end

function Pandoc(doc)
  local mark, text = doc.meta["provenance-mark"], doc.meta.provenance
  if not text or pandoc.utils.stringify(text) == "" then return nil end
  local page = FORMAT:match "^html"
  if not (page or FORMAT == "docx" or FORMAT:match "^jats") then return nil end
  local words = pandoc.Inlines {}
  if mark then words:extend { pandoc.Strong(inlines(mark)), pandoc.Str ".", pandoc.Space() } end
  local box = pandoc.Div(pandoc.Para(words .. inlines(text)),
    { class = "provenance", ["custom-style"] = "Provenance", style = STYLE })
  if mark then
    local stringify = pandoc.utils.stringify
    local title = "[" .. stringify(mark) .. "] " .. stringify(doc.meta.title or "")
    if page then doc.meta.pagetitle = title else doc.meta.title = title end
  end
  doc.blocks:insert(1, box)
  return doc
end
