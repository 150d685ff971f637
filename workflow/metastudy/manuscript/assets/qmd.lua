-- The part of Quarto's Markdown that the manuscript uses, for plain pandoc (3.6 or later):
-- numbered sections, figures, tables and equations, references to them, and callouts.
-- The numbers and words are those of Quarto, so both engines give the same text.
-- checks.py has looked at the document before; the errors here only guard against its gaps.

local HTML, TYPST, DOCX = FORMAT:match "^html" ~= nil, FORMAT == "typst", FORMAT == "docx"
local WORD = { fig = "Figure", tbl = "Table", sec = "Section", eq = "Equation" }
local TITLE = {
  note = "Note", tip = "Tip", warning = "Warning", caution = "Caution", important = "Important",
}
local TONE = {
  note = "2F6690", tip = "2E7D4F", warning = "8A5A00", caution = "A04616", important = "A3293D",
}

local numbers = {}                                   -- id -> the number that a reference prints
local counts = { fig = 0, tbl = 0, eq = 0 }
local sections = {}                                  -- the number of the current section, by level
local prefix = ""                                    -- what the supplement's numbers begin with
local elsewhere = {}                                 -- id -> number and name of another document

---------------------------------------------------------------------------- small tools

local function fail(text) error(text, 0) end

local function kind_of(id)
  local prefix = id:match "^(%a+)%-"
  return prefix and WORD[prefix] and prefix
end

local function number(id, value)
  if numbers[id] then fail("duplicate id " .. id) end
  numbers[id] = value
  return value
end

local function next_number(kind, id)
  counts[kind] = counts[kind] + 1
  return number(id, prefix .. counts[kind])
end

local function block(text) return pandoc.RawBlock(HTML and "html" or FORMAT, text) end
local function inline(text) return pandoc.RawInline(HTML and "html" or FORMAT, text) end
local function string_literal(text)
  return '"' .. text:gsub("%s+", " "):gsub('[\\"]', "\\%0") .. '"'
end

local function as_typst(inlines)
  return (pandoc.write(pandoc.Pandoc { pandoc.Plain(inlines) }, "typst"):gsub("%s+$", ""))
end

-- "Figure 1:" in bold before the first words of a caption, in every format
local function with_label(caption, text)
  local first = caption.long[1] or pandoc.Plain {}
  local label = pandoc.Span(pandoc.Strong(text .. ":"), { class = "caption-label" })
  first.content = pandoc.Inlines { label, pandoc.Space() } .. first.content
  caption.long[1] = first
  return caption
end

---------------------------------------------------------------------------- formulas

-- pandoc 3.9 rounds the widths of \\! and \\; in Typst to whole ems.
local function even_spaces(tex) return (tex:gsub("\\!", ""):gsub("\\;", "\\,")) end

-- PDF/UA asks for alternative text on every formula: its TeX source, which screen readers know.
local function typst_math(math, options)
  local text = "#math.equation(%salt: %s, %s)"
  local alt = string_literal(math.text:gsub("^%s+", ""):gsub("%s+$", ""))
  options = options or (math.mathtype == "DisplayMath" and "block: true, ") or ""
  math.text = even_spaces(math.text)
  return inline(text:format(options, alt, as_typst { math }))
end

-- A formula that is wider than the page scrolls, by the keyboard too.
local function scrolling_math(math)
  if math.mathtype ~= "DisplayMath" then return nil end
  -- a list of pairs keeps its order, so that two runs give the same bytes
  local attributes = { { "tabindex", "0" }, { "role", "group" }, { "aria-label", "Formula" } }
  return pandoc.Span({ math }, pandoc.Attr("", { "scroll", "formula" }, attributes))
end

local function named_by_number(span)
  if not span.classes:includes "equation" then return nil end
  span.content[1].attributes["aria-label"] = "Equation " .. numbers[span.identifier]
  return span
end

local function numbered_equation(math, id)
  local n = next_number("eq", id)
  if TYPST then
    local options = ("block: true, numbering: _ => [(%s)], "):format(n)
    return { typst_math(math, options), inline("<" .. id .. ">") }
  elseif HTML then
    local label = pandoc.Span("(" .. n .. ")", { class = "eq-number" })
    return { pandoc.Span({ math, label }, { id = id, class = "equation" }) }
  end
  math.text = math.text .. " \\qquad (" .. n .. ")"
  return { pandoc.Span({ math }, { id = id }) }
end

-- $$ ... $$ {#eq-x}
local function equations(inlines)
  local out, i = pandoc.Inlines {}, 1
  while i <= #inlines do
    local math, space, tag = inlines[i], inlines[i + 1], inlines[i + 2]
    local tagged = tag and math.t == "Math" and math.mathtype == "DisplayMath" and tag.t == "Str"
      and (space.t == "Space" or space.t == "SoftBreak")
    local id = tagged and tag.text:match "^{#(eq%-[%w_-]+)}$"
    if id then
      out:extend(numbered_equation(math, id))
      i = i + 3
    else
      out:insert(math)
      i = i + 1
    end
  end
  return out
end

---------------------------------------------------------------------------- figures and tables

local function image(img)
  local alt = img.attributes["fig-alt"] or fail("no fig-alt on " .. img.src)
  local width = img.attributes.width
  img.attributes["fig-alt"] = nil
  if TYPST then                                      -- pandoc's Typst writer drops the text
    local text = "#image(%s, width: %s, alt: %s)"
    return inline(text:format(string_literal(img.src), width or "auto", string_literal(alt)))
  end
  if HTML then
    img.attributes.alt = alt
    img.attributes.drawing = img.src                 -- for the version for narrow screens, if there is one
  end
  img.caption = pandoc.Inlines(alt)
  return img
end

local function figure(fig)
  if kind_of(fig.identifier) ~= "fig" then fail "a figure without an id" end
  local label = "Figure " .. next_number("fig", fig.identifier)
  fig.caption = with_label(fig.caption, label)
  fig = fig:walk { Image = image }
  if HTML then                                       -- a narrow screen scrolls it, letters keep their size
    local open = '<div class="scroll picture" role="region" tabindex="0" aria-label="%s, picture">'
    fig.content = pandoc.Blocks { block(open:format(label)) } .. fig.content .. { block "</div>" }
  end
  return fig
end

-- Numbers and intervals keep to one line, unless a cell holds a list of them.
local function keep_short_numbers(tbl)
  for _, body in ipairs(tbl.bodies) do
    for _, row in ipairs(body.body) do
      for i, cell in ipairs(row.cells) do
        local text = pandoc.utils.stringify(cell.contents)
        local right = tbl.colspecs[i] and tbl.colspecs[i][1] == "AlignRight"
        if right and pandoc.text.len(text) <= 25 and not text:find ";" then
          cell.attr.classes:insert "short"
        end
      end
    end
  end
end

-- In HTML the caption stays still while a wide table scrolls below it.
local function scrolling(tbl, id)
  local columns = #tbl.colspecs
  local wide = (columns > 4 and " wide" or "") .. (columns > 8 and " wider" or "")
  local head = pandoc.Plain(tbl.caption.long[1].content)
  keep_short_numbers(tbl)
  tbl.caption, tbl.identifier = { long = {} }, ""
  tbl.attributes["aria-labelledby"] = id .. "-caption"
  return {
    block(('<figure class="table%s" id="%s"><figcaption id="%s-caption">'):format(wide, id, id)), head,
    block '</figcaption>',
    block(('<div class="scroll" role="region" tabindex="0" aria-labelledby="%s-caption">'):format(id)),
    tbl,
    block "</div></figure>",
  }
end

local function table_(tbl)
  local id = tbl.identifier
  if kind_of(id) ~= "tbl" then fail "a table without an id" end
  tbl.caption = with_label(tbl.caption, "Table " .. next_number("tbl", id))
  return HTML and scrolling(tbl, id) or tbl
end

---------------------------------------------------------------------------- callouts and sections

local function callout_kind(div)
  for _, class in ipairs(div.classes) do
    local kind = class:match "^callout%-(%a+)$"
    if kind and TITLE[kind] then return kind end
  end
end

-- Word has no box that holds lists and formulas but a table of one cell.
local function in_word_box(kind, head, content)
  local open = [[<w:tbl><w:tblPr><w:tblStyle w:val="TableNormal"/><w:tblW w:type="pct" w:w="5000"/>
    <w:tblInd w:w="60" w:type="dxa"/><w:tblBorders><w:left w:val="single" w:sz="24" w:space="0" w:color="%s"/></w:tblBorders>
    <w:tblCellMar><w:top w:w="60" w:type="dxa"/><w:left w:w="160" w:type="dxa"/>
    <w:bottom w:w="60" w:type="dxa"/><w:right w:w="160" w:type="dxa"/></w:tblCellMar></w:tblPr>
    <w:tblGrid><w:gridCol w:w="9184"/></w:tblGrid><w:tr><w:tc><w:tcPr>
    <w:tcW w:type="pct" w:w="5000"/><w:shd w:val="clear" w:color="auto" w:fill="F3F5F7"/></w:tcPr>]]
  local blocks = pandoc.Blocks { pandoc.RawBlock("openxml", open:format(TONE[kind])), head } .. content
  -- a low paragraph, or Word would join two boxes that follow each other
  blocks:insert(pandoc.RawBlock("openxml", [[</w:tc></w:tr></w:tbl><w:p><w:pPr>
    <w:spacing w:before="0" w:after="0" w:line="160" w:lineRule="exact"/></w:pPr></w:p>]]))
  return blocks
end

local function callout(div)
  local kind = callout_kind(div)
  if not kind then return nil end
  local title = pandoc.utils.blocks_to_inlines(
    pandoc.read(div.attributes.title or TITLE[kind], "markdown").blocks)
  if TYPST then
    div.content:insert(1, block(('#callout("%s", [%s])['):format(kind, as_typst(title))))
    div.content:insert(block "]")
    return div.content
  end
  local head = pandoc.Div(pandoc.Para(pandoc.Strong(title)),
    { class = "callout-title", ["custom-style"] = DOCX and "Callout Title" or nil })
  if DOCX then return in_word_box(kind, head, div.content) end
  return pandoc.Div({ head, pandoc.Div(div.content) },
    { class = "callout callout-" .. kind, role = HTML and "note" or nil })
end

-- Sections begin at ##, because the title is the first level; only HTML counts the title.
local function heading(head)
  if not HTML then head.level = head.level - 1 end
  if head.classes:includes "unnumbered" then return head end
  local depth = HTML and head.level - 1 or head.level
  sections[depth] = (sections[depth] or 0) + 1
  for deeper = depth + 1, #sections do sections[deeper] = nil end
  local n = number(head.identifier, prefix .. table.concat(sections, "."))
  if TYPST then return head end                      -- Typst numbers its headings itself
  head.content:insert(1, pandoc.Span(n, { class = "header-section-number" }))
  head.content:insert(2, pandoc.Space())
  return head
end

---------------------------------------------------------------------------- references

-- @fig-a, @Fig-a, [@fig-a; @fig-b], [-@fig-a] (the number alone)
local function reference(cite)
  local out = pandoc.Inlines {}
  for i, item in ipairs(cite.citations) do
    local id = item.id:gsub("^%u", string.lower)
    local kind = kind_of(id)
    if not kind then return nil end
    local other = elsewhere[id]
    local n = numbers[id] or other and other.number or fail("unknown cross-reference @" .. item.id)
    local text = (item.mode == "SuppressAuthor" and "" or WORD[kind] .. "\u{a0}") .. n
    if i > 1 then out:insert(pandoc.Str ", ") end
    if numbers[id] then
      out:insert(pandoc.Link(text, "#" .. id, "", { class = "xref" }))
    elseif HTML then
      out:insert(pandoc.Link(text, other.document .. ".html#" .. id, "", { class = "xref" }))
    else                                             -- files on paper, or moved apart
      out:insert(pandoc.Str(text))
    end
  end
  return out
end

---------------------------------------------------------------------------- the ledger

-- The renderer leaves marks around numbers that come from variables: U+E000 n U+E001 text U+E002.
local OPEN, CLOSE = "\u{e000}(%d+)\u{e001}", "\u{e002}"
local variables, anchored = {}, {}                   -- number of a use -> variable; those with an anchor

local function without_marks(text)
  return (text:gsub(OPEN, ""):gsub(CLOSE, ""))
end

local function unmark(element)
  return element:walk { Str = function(str) return pandoc.Str(without_marks(str.text)) end }
end

local function unmark_attributes(element)
  for name, value in pairs(element.attributes) do
    local plain = without_marks(value)
    if plain ~= value then element.attributes[name] = plain end
  end
  return element
end

-- A number that leads to its row; of several of one variable the keyboard stops at the first.
local function to_ledger(content, variable, first)
  local attributes = { { "title", "Where this number comes from" } }
  if not first then attributes = { { "tabindex", "-1" } } end
  local id = ""
  if first and not anchored[variable] then
    anchored[variable], id = true, "of-" .. variable
  end
  return pandoc.Link(content, "ledger.html#" .. variable, "", pandoc.Attr(id, { "from" }, attributes))
end

-- A word as what is before its number, the number with sign and per cent, and what is after it.
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

-- The numbers of a text of several words, without the punctuation around them.
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

local SHORT = 32                                     -- letters of a text that is one link

local function marked_numbers(inlines)
  if not pandoc.utils.stringify(inlines):find "\u{e000}" then return nil end
  local out, inside, use = pandoc.Inlines {}, pandoc.Inlines {}, nil
  local function close()
    local variable = variables[use]
    if not variable then
      out:extend(inside)
    elseif pandoc.text.len(pandoc.utils.stringify(inside)) <= SHORT then
      out:insert(to_ledger(inside, variable, true))
    else
      out:extend(each_number(inside, variable))
    end
    inside, use = pandoc.Inlines {}, nil
  end
  local function add(element) (use and inside or out):insert(element) end
  for _, element in ipairs(inlines) do
    local rest = element.t == "Str" and element.text or nil
    if not rest then
      add(element)
    else
      while rest ~= "" do
        local from, to, n = rest:find(use and CLOSE or OPEN)
        if not from then
          add(pandoc.Str(rest))
          break
        end
        if from > 1 then add(pandoc.Str(rest:sub(1, from - 1))) end
        if use then close() else use = n end
        rest = rest:sub(to + 1)
      end
    end
  end
  if use then out:extend(inside) end                 -- a text that ends elsewhere has no link
  return out
end

local function from_the_ledger(doc)
  for n, variable in pairs(doc.meta.numbers or {}) do
    variables[n] = pandoc.utils.stringify(variable)
  end
  doc.meta.numbers = nil
  if not next(variables) then return doc end
  local before = { Header = unmark, Link = unmark, Image = function(img)
    return unmark_attributes(unmark(img))
  end, Div = unmark_attributes }
  local first = { Inlines = marked_numbers }
  -- the abstract is read first, so it has the anchors
  if doc.meta.abstract then
    local abstract = pandoc.Pandoc(doc.meta.abstract)
    doc.meta.abstract = pandoc.MetaBlocks(abstract:walk(before):walk(first).blocks)
  end
  doc.blocks = pandoc.Pandoc(doc.blocks):walk(before):walk(first).blocks
  return doc
end

-- What the renderer says of this document and of the one beside it.
local function read_settings(meta)
  prefix = pandoc.utils.stringify(meta["number-prefix"] or "")
  for id, label in pairs(meta.elsewhere or {}) do
    elsewhere[id] = {
      number = pandoc.utils.stringify(label.number), document = pandoc.utils.stringify(label.document),
    }
  end
  meta["number-prefix"], meta.elsewhere = nil, nil
end

function Pandoc(doc)
  read_settings(doc.meta)
  if HTML then doc = from_the_ledger(doc) end
  -- a comment is for the authors
  doc = doc:walk {
    RawBlock = function(raw) return raw.text:match "^<!%-%-" and {} or nil end,
    RawInline = function(raw) return raw.text:match "^<!%-%-" and {} or nil end,
  }
  doc = doc:walk {
    traverse = "topdown",
    Header = heading, Inlines = equations, Div = callout,
    Figure = function(fig) return figure(fig), false end,
    Table = function(tbl) return table_(tbl), false end,
  }
  doc = doc:walk { Cite = reference, Math = TYPST and typst_math or HTML and scrolling_math or nil }
  return HTML and doc:walk { Span = named_by_number } or doc
end
