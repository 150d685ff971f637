-- Column widths, for our own renderer and for Quarto alike.
-- A pipe table with a long line gets its widths from the dashes below its head, which says nothing of
-- its contents. Browsers and Typst fit columns to contents themselves; Word is given shares.
-- Word also gets smaller letters, the smaller the more columns.
-- `tbl-colwidths="[40, 30, 30]"` behind the caption's id wins.

local LINE = 92                                      -- characters of a table's line that fit on a page
local NARROW = 6                                     -- no column is planned narrower

-- room between a table in Word and the text that follows it
local GAP = [[<w:p><w:pPr><w:spacing w:before="0" w:after="0" w:line="160" w:lineRule="exact"/></w:pPr></w:p>]]

local function shares(widths)
  local sum, out = 0, {}
  for _, width in ipairs(widths) do sum = sum + width end
  for i, width in ipairs(widths) do out[i] = width / sum end
  return out, sum
end

local function rows_of(tbl)
  local rows = {}
  for _, row in ipairs(tbl.head.rows) do table.insert(rows, row) end
  for _, body in ipairs(tbl.bodies) do
    for _, row in ipairs(body.body) do table.insert(rows, row) end
  end
  return rows
end

-- Per column the longest word, which must not break, and the longest cell.
local function measured(tbl)
  local words, cells = {}, {}
  for i = 1, #tbl.colspecs do words[i], cells[i] = NARROW, NARROW end
  for _, row in ipairs(rows_of(tbl)) do
    for i, cell in ipairs(row.cells) do
      local text = pandoc.utils.stringify(cell.contents)
      cells[i] = math.max(cells[i], pandoc.text.len(text))
      for word in text:gmatch "%S+" do words[i] = math.max(words[i], pandoc.text.len(word)) end
    end
  end
  return words, cells
end

-- Each column its longest word, and the rest of the line in proportion to what the cells still want.
local function fitted(words, cells)
  for i = 1, #words do                               -- room for wide letters and for the cell's edges
    words[i], cells[i] = words[i] + 2, cells[i] + 2
  end
  local _, needed = shares(words)
  local _, line = shares(cells)
  local given = math.min(1, math.max(LINE - needed, 0) / math.max(line - needed, 1))
  local out = {}
  for i = 1, #words do out[i] = words[i] + given * (cells[i] - words[i]) end
  return (shares(out))
end

local function set_widths(tbl, widths)
  for i, spec in ipairs(tbl.colspecs) do
    tbl.colspecs[i] = widths and { spec[1], widths[i] } or { spec[1] }
  end
  return tbl
end

-- The styles are those of assets/reference.docx.
local function in_word_style(tbl)
  local style = #tbl.colspecs > 6 and "Table Text Small" or "Table Text"
  local function paragraph(plain) return pandoc.Para(plain.content) end
  for _, row in ipairs(rows_of(tbl)) do
    for _, cell in ipairs(row.cells) do
      local contents = cell.contents:walk { Plain = paragraph }
      cell.contents = pandoc.Blocks { pandoc.Div(contents, { ["custom-style"] = style }) }
    end
  end
  return tbl
end

function Table(tbl)
  local widths = nil
  if FORMAT == "docx" or FORMAT == "typst" then
    local words, cells = measured(tbl)
    local _, line = shares(cells)
    if FORMAT == "docx" or line > LINE then widths = fitted(words, cells) end
  end
  if FORMAT == "docx" then tbl = in_word_style(tbl) end
  local wanted = tbl.attributes["tbl-colwidths"]
  tbl.attributes["tbl-colwidths"] = nil
  if wanted then
    local given = {}
    for width in wanted:gmatch "[%d.]+" do table.insert(given, tonumber(width)) end
    if #given == #tbl.colspecs then widths = (shares(given)) end
  end
  tbl = set_widths(tbl, widths)
  return FORMAT == "docx" and { tbl, pandoc.RawBlock("openxml", GAP) } or tbl
end
