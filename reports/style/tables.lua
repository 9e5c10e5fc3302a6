-- Writes every table: caption with its number, headings with their scope, a scrolling frame; a ruled table in Typst.
-- structure.lua has put the table's number ("Table 1") into the attribute `number` and its label into the identifier.

local is_typst = FORMAT:match("typst") ~= nil

local function raw(text)
  return pandoc.RawInline(is_typst and "typst" or "html", text)
end

local function raw_block(text)
  return pandoc.RawBlock(is_typst and "typst" or "html", text)
end

local line_length = 34 -- characters; a longer cell may break into lines
local full_table = 105 -- characters below the headings; a table above this may break shorter cells too
local full_page = 115 -- characters, with two for each gap; a table above this has headings of several lines
local wide_table = 80 -- characters; a wide-table above this is set smaller
local short_cell = 12 -- characters; a column of cells no longer than this never breaks
local short_table = 60 -- characters; a table below this is not stretched to the width of the page

local function rows_of(tbl)
  local rows = pandoc.List({})
  for _, body in ipairs(tbl.bodies) do rows:extend(body.body) end
  return rows
end

-- Columns whose heading speaks of an interval are set in the quieter text colour.
local function interval_columns(tbl)
  local quiet = {}
  for _, row in ipairs(tbl.head.rows) do
    for column, cell in ipairs(row.cells) do
      quiet[column] = pandoc.utils.stringify(cell.contents):lower():match("interval") ~= nil
    end
  end
  return quiet
end

-- The number of characters of the longest cell of each column, and of all of them together; headings, which may break
-- into lines, count unless they are left out.
local function longest_cells(tbl, without_headings)
  local longest, total = {}, 0
  local rows = rows_of(tbl)
  for _, row in ipairs(without_headings and {} or tbl.head.rows) do rows:insert(row) end
  for _, row in ipairs(rows) do
    for column, cell in ipairs(row.cells) do
      longest[column] = math.max(longest[column] or 0, utf8.len(pandoc.utils.stringify(cell.contents)) or 0)
    end
  end
  for _, length in ipairs(longest) do total = total + length end
  return longest, total
end

-- Tables in a wide-table div are set smaller where their columns of unbroken text would not fit otherwise.
local function is_wide(tbl, longest)
  local unbroken = 0
  for _, length in ipairs(longest) do unbroken = unbroken + math.min(length, line_length) end
  return tbl.attributes.wide ~= nil and unbroken > wide_table
end

local function html_table(tbl)
  local number, identifier = tbl.attributes.number, tbl.identifier
  local quiet = interval_columns(tbl)
  local longest, total = longest_cells(tbl)
  local _, below = longest_cells(tbl, true)
  for _, row in ipairs(tbl.head.rows) do
    for _, cell in ipairs(row.cells) do cell.attr.attributes.scope = "col" end
  end
  for _, body in ipairs(tbl.bodies) do
    body.row_head_columns = 1
    for _, row in ipairs(body.body) do
      for column, cell in ipairs(row.cells) do
        if column == 1 then cell.attr.attributes.scope = "row" end
        local unbroken = longest[column] <= line_length and (column == 1 or below <= full_table)
        local long = longest[column] > line_length
        if unbroken or long then cell.attr.classes:insert(long and "long" or "unbroken") end
        if quiet[column] then cell.attr.classes:insert("interval") end
      end
    end
  end
  local caption = pandoc.utils.blocks_to_inlines(tbl.caption.long)
  if #caption > 0 then
    if number then caption = pandoc.Inlines({ pandoc.Str(number .. ":"), pandoc.Space() }) .. caption end
    tbl.caption.long = { pandoc.Plain({ pandoc.Span(caption, { class = "caption-text" }) }) }
  end
  local kind = total < short_table and " short" or is_wide(tbl, longest) and " wide" or ""
  tbl.attr = pandoc.Attr()
  local id = identifier ~= "" and ' id="' .. identifier .. '"' or ""
  local open = '<div class="scroll table' .. kind .. '"' .. id .. ' role="group" tabindex="0" aria-label="' .. (number or "Table") .. '">'
  return { raw_block(open), tbl, raw_block("</div>") }
end

-- The number of characters that each column needs where headings break between words, into two lines or little more.
local function broken_headings(tbl)
  local needed = longest_cells(tbl, true)
  for _, row in ipairs(tbl.head.rows) do
    for column, cell in ipairs(row.cells) do
      local heading = pandoc.utils.stringify(cell.contents)
      needed[column] = math.max(needed[column] or 0, (utf8.len(heading) or 0) // 2 + 1)
      for word in heading:gmatch("%S+") do
        needed[column] = math.max(needed[column] or 0, utf8.len(word) or 0)
      end
    end
  end
  return needed
end

-- What the columns that are not stretched leave of the page, less what those that are would like, in characters.
local function spare_room(needed, stretched, share)
  local spare = full_page - 2 * #needed
  for column, length in ipairs(needed) do
    spare = spare - (stretched[column] and share * math.min(stretched[column], line_length) or length)
  end
  return spare
end

-- The longest column that is not stretched yet, where its text is long enough to break into lines.
local function next_to_stretch(needed, stretched)
  local found = nil
  for column, length in ipairs(needed) do
    if not stretched[column] and length > short_cell and length > (found and needed[found] or 0) then found = column end
  end
  return found
end

-- Columns are as wide as their text; those with long text share what is left, and so does the first where none is long.
-- Where this would be too little headings break between words, and then the text of the next longest columns does.
local function typst_columns(tbl)
  local needed, total = longest_cells(tbl)
  local cells, stretched, widths = longest_cells(tbl, true), {}, {}
  for column, length in ipairs(needed) do
    if (cells[column] or 0) > line_length then stretched[column] = math.min(length, 160) end
  end
  if next(stretched) == nil and total >= short_table then stretched[1] = needed[1] end
  local broken = spare_room(needed, stretched, 1) < 0
  if broken then needed = broken_headings(tbl) end
  while broken and spare_room(needed, stretched, 0.6) < 0 and next_to_stretch(needed, stretched) do
    local column = next_to_stretch(needed, stretched)
    stretched[column] = needed[column]
  end
  for column in ipairs(needed) do
    local own = broken and string.format("%.2fem", 0.47 * needed[column] + 1) or "auto" -- a character is half an em
    widths[column] = stretched[column] and stretched[column] .. "fr" or own
  end
  return "(" .. table.concat(widths, ", ") .. ",)"
end

local function typst_row(row, quiet)
  local inlines = pandoc.Inlines({})
  for column, cell in ipairs(row.cells) do
    inlines:insert(raw(quiet and quiet[column] and "quiet[" or "["))
    inlines:extend(pandoc.utils.blocks_to_inlines(cell.contents))
    inlines:insert(raw("], "))
  end
  return inlines
end

local function typst_table(tbl)
  local number, identifier = tbl.attributes.number, tbl.identifier
  local names = { AlignLeft = "left", AlignRight = "right", AlignCenter = "center", AlignDefault = "left" }
  local aligns, quiet = {}, interval_columns(tbl)
  for _, spec in ipairs(tbl.colspecs) do table.insert(aligns, names[spec[1]]) end
  local caption = pandoc.utils.blocks_to_inlines(tbl.caption.long)
  local long = tbl.attributes.long ~= nil
  local text = pandoc.Inlines({ raw((long and "#long-table[" or "") .. "#figure(kind: table" .. (number and "" or ", numbering: none")) })
  if #caption > 0 then
    text:insert(raw(", caption: figure.caption(position: top)["))
    text:extend(caption)
    text:insert(raw("]"))
  end
  text:insert(raw(", report-table(wide: " .. tostring(is_wide(tbl, (longest_cells(tbl)))) .. ", columns: " .. typst_columns(tbl) .. ", align: (" .. table.concat(aligns, ", ")
    .. ",), table.header("))
  for _, row in ipairs(tbl.head.rows) do text:extend(typst_row(row)) end
  text:insert(raw("), "))
  for _, row in ipairs(rows_of(tbl)) do text:extend(typst_row(row, quiet)) end
  text:insert(raw((identifier ~= "" and ")) <" .. identifier .. ">" or "))") .. (long and "]" or "")))
  return { pandoc.Plain(text) }
end

function Table(tbl)
  for column, spec in ipairs(tbl.colspecs) do tbl.colspecs[column] = { spec[1], nil } end
  return (is_typst and typst_table or html_table)(tbl)
end
