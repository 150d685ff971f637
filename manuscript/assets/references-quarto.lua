-- References to figures, tables, sections and equations of the document beside this one, where Quarto
-- renders: it resolves those within a document. The numbers are in _references.json, which our
-- own renderer writes. That renderer skips this file because of its name.

local WORD = { fig = "Figure", tbl = "Table", sec = "Section", eq = "Equation" }

local function read(path)
  local file = io.open(path)
  if not file then return {} end
  local text = file:read "a"
  file:close()
  return pandoc.json.decode(text, false)
end

local project = quarto and quarto.project and quarto.project.directory or "."
local input = quarto and quarto.doc.input_file or PANDOC_STATE.input_files[1] or ""
local elsewhere = read(project .. "/_references.json")[pandoc.path.filename(input)] or {}

function Cite(cite)
  local out, found = pandoc.Inlines {}, false
  for i, item in ipairs(cite.citations) do
    local id = item.id:gsub("^%u", string.lower)
    local label = elsewhere[id]
    found = found or label ~= nil
    local word = item.mode == "SuppressAuthor" and "" or (WORD[id:match "^%a+"] or "") .. "\u{a0}"
    if i > 1 then out:insert(pandoc.Str ", ") end
    if not label then
      out:insert(pandoc.Cite({ pandoc.Str("@" .. item.id) }, { item }))  -- for Quarto itself
    elseif FORMAT:match "^html" then
      out:insert(pandoc.Link(word .. label.number, label.document .. ".html#" .. id))
    else
      out:insert(pandoc.Str(word .. label.number))
    end
  end
  return found and out or nil
end
