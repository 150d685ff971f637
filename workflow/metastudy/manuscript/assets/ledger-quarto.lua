-- Numbers that lead to their rows of the ledger, where Quarto renders; it runs after Quarto's own
-- filters. The renderer has put each variable into a span that names it. The links are those that
-- from_the_ledger in qmd.lua makes: a short text is one link, of a longer one each number is.

local SHORT = 32                                     -- letters of a text that is one link
local STYLE = "<style>a.from { color: inherit; text-decoration: underline dotted; }</style>"
local page = FORMAT:match "^html" ~= nil
local anchored = {}

local function to_ledger(content, variable, first)
  local attributes = { { "title", "Where this number comes from" } }
  if not first then attributes = { { "tabindex", "-1" } } end
  local id = ""
  if first and not anchored[variable] then
    anchored[variable], id = true, "of-" .. variable
  end
  return pandoc.Link(content, "ledger.html#" .. variable, "", pandoc.Attr(id, { "from" }, attributes))
end

local function parted(text)
  local from, to = text:find "%d[%d.,]*%d"
  if not from then from, to = text:find "%d" end
  if not from then return nil end
  for _, sign in ipairs { "−", "-", "+" } do
    if text:sub(from - #sign, from - 1) == sign then from = from - #sign end
  end
  if text:sub(to + 1, to + 1) == "%" then to = to + 1 end
  return text:sub(1, from - 1), text:sub(from, to), text:sub(to + 1)
end

local function each_number(inside, variable)
  local out, first = pandoc.Inlines {}, true
  for _, element in ipairs(inside) do
    local before, number, after
    if element.t == "Str" then before, number, after = parted(element.text) end
    if number then
      if before ~= "" then out:insert(pandoc.Str(before)) end
      out:insert(to_ledger({ pandoc.Str(number) }, variable, first))
      if after ~= "" then out:insert(pandoc.Str(after)) end
      first = false
    else
      out:insert(element)
    end
  end
  return out
end

local function is_named(span)
  return span.classes:includes "from-ledger" and span.attributes.variable
end

local linked = {
  Span = function(span)
    local variable = is_named(span)
    if not variable then return nil end
    if not page then return span.content end
    if pandoc.text.len(pandoc.utils.stringify(span.content)) > SHORT then
      return each_number(span.content, variable)
    end
    return to_ledger(span.content, variable, true)
  end,
}
-- Inside a link there is no other one.
local plain = { Link = function(link)
  return link:walk { Span = function(span) if is_named(span) then return span.content end end }
end }

function Pandoc(doc)
  if page and quarto then quarto.doc.include_text("in-header", STYLE) end
  -- the abstract is read first, so it has the anchors
  local abstract = doc.meta.abstract
  if abstract then
    local blocks = pandoc.utils.type(abstract) == "Inlines" and { pandoc.Plain(abstract) } or abstract
    doc.meta.abstract = pandoc.MetaBlocks(pandoc.Pandoc(blocks):walk(plain):walk(linked).blocks)
  end
  return doc:walk(plain):walk(linked)
end
