-- After Quarto: what is wider than its web page scrolls, as it does in ours, and takes the keyboard.
-- Our own renderer skips this file because of its name.

local STYLE = "<style>.scroll { overflow-x: auto; } .scroll math[display=block] { overflow: visible; }"
  .. " .csl-entry { overflow-wrap: anywhere; }</style>"

local function scrolling(block, label)
  local said = { { "role", "region" }, { "tabindex", "0" }, { "aria-label", label } }
  return pandoc.Div({ block }, pandoc.Attr("", { "scroll" }, said))
end

local function formula(paragraph)
  for _, part in ipairs(paragraph.content) do
    if part.t == "Math" and part.mathtype == "DisplayMath" then return true end
  end
  return false
end

function Pandoc(doc)
  if not FORMAT:match "^html" then return nil end
  if quarto then quarto.doc.include_text("in-header", STYLE) end
  return doc:walk {
    traverse = "topdown",
    Table = function(found) return scrolling(found, "Table"), false end,
    Para = function(found) if formula(found) then return scrolling(found, "Formula"), false end end,
  }
end
