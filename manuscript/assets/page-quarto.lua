-- After Quarto: what is wider than its web page scrolls, as it does in ours. Our own renderer skips
-- this file because of its name.

local STYLE = "<style>figure.quarto-float-tbl > div, math[display=block] { overflow-x: auto; }"
  .. " math[display=block] { overflow-y: hidden; } .csl-entry { overflow-wrap: anywhere; }</style>"

function Pandoc(doc)
  if FORMAT:match "^html" and quarto then quarto.doc.include_text("in-header", STYLE) end
  return nil
end
