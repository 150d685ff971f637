-- After Quarto: each formula of the PDF gets its TeX as alternative text. Our own renderer does so
-- itself, and skips this file because of its name.

local function literal(text)
  local line = text:gsub("%s+", " "):gsub("^ ", ""):gsub(" $", "")
  return '"' .. line:gsub('[\\"]', "\\%0") .. '"'
end

local function as_typst(math)
  return (pandoc.write(pandoc.Pandoc { pandoc.Plain { math } }, "typst"):gsub("%s+$", ""))
end

function Inlines(inlines)
  if FORMAT ~= "typst" then return nil end
  for i, math in ipairs(inlines) do
    if math.t == "Math" then
      local before = inlines[i - 1]
      local alt = "alt: " .. literal(math.text) .. ", "
      if before and before.t == "RawInline" and before.text:match "^#math%.equation%(" then
        before.text = before.text:gsub("^#math%.equation%(", function(open) return open .. alt end)
      else
        local block = math.mathtype == "DisplayMath" and "block: true, " or ""
        inlines[i] = pandoc.RawInline("typst", "#math.equation(" .. block .. alt .. as_typst(math) .. ")")
      end
    end
  end
  return inlines
end
