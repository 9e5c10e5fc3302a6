-- Numbers figures and tables, resolves @fig-, @tbl- and @sec- references, and writes figures and tables for HTML and Typst.
-- Runs before Quarto's own filters (`at: pre-ast`) and first in the embedded renderer, so both give the same document.

local is_typst = FORMAT:match("typst") ~= nil
local nbsp = "\u{a0}"
local label_words = { fig = "Figure", tbl = "Table" }
local long_table = 14 -- rows; a table with more may run over pages

-- Cells ---------------------------------------------------------------------------------------------------------------

local function unwrap_cell(div)
  for _, class in ipairs(div.classes) do
    if class == "cell" or class:match("^cell%-output") then
      return div.content
    end
  end
end

-- Tables in a wide-table div are marked and stand free.
local function unwrap_wide_table(div)
  if div.classes:includes("wide-table") then
    return div.content:walk({ Table = function(tbl)
      tbl.attributes.wide = "true"
      return tbl
    end })
  end
end

-- Labels and references -----------------------------------------------------------------------------------------------

local function rows_of(tbl)
  local rows = 0
  for _, body in ipairs(tbl.bodies) do rows = rows + #body.body end
  return rows
end

-- The label of a table; Pandoc before 3.6 leaves it in the caption's text.
local function take_table_label(tbl)
  local last = tbl.caption.long[#tbl.caption.long]
  local words = last and last.content
  local label = words and #words > 0 and words[#words].text and words[#words].text:match("^{#(tbl%-[%w_-]+)}$")
  if tbl.identifier == "" and label then
    words:remove(#words)
    if #words > 0 and words[#words].t == "Space" then words:remove(#words) end
    tbl.caption.long[#tbl.caption.long].content = words
    tbl.identifier = label
  end
end

local function lone_image(block)
  local content = block.t == "Figure" and block.content[1] and block.content[1].content or block.content
  if content and #content == 1 and content[1].t == "Image" then
    return content[1]
  end
end

-- A picture alone in its paragraph is a Figure, whichever way the reader gave it.
local function as_figure(para)
  local image = lone_image(para)
  if not image then
    return nil
  end
  local figure = pandoc.Figure({ pandoc.Plain({ image }) }, { pandoc.Plain(image.caption) }, { id = image.identifier })
  image.identifier = ""
  return figure
end

-- Every figure and table gets its number in reading order, and figures above the first chapter are marked as the
-- summary's, long tables as such; headings give their text.
local function number_labels(blocks)
  local labels, count, in_chapters = {}, { fig = 0, tbl = 0 }, false
  local function number(kind, element)
    if element.identifier:match("^" .. kind .. "%-") then
      if labels[element.identifier] then
        error("the label @" .. element.identifier .. " is given twice")
      end
      count[kind] = count[kind] + 1
      labels[element.identifier] = label_words[kind] .. nbsp .. count[kind]
      element.attributes.number = labels[element.identifier]
    end
    return element
  end
  blocks = blocks:walk({
    traverse = "topdown",
    Figure = function(figure)
      figure.attributes.summary = not in_chapters and "true" or nil
      return number("fig", figure), false
    end,
    Table = function(tbl)
      take_table_label(tbl)
      tbl.attributes.long = rows_of(tbl) > long_table and "true" or nil
      return number("tbl", tbl), false
    end,
    Header = function(header)
      in_chapters = true
      if header.identifier ~= "" then
        labels[header.identifier] = pandoc.utils.stringify(header.content)
      end
    end,
  })
  return blocks, labels
end

local function resolve_cite(labels)
  return function(cite)
    local out = pandoc.Inlines({})
    for position, citation in ipairs(cite.citations) do
      local kind = citation.id:match("^(%a+)%-")
      if not (kind == "fig" or kind == "tbl" or kind == "sec") then
        return nil
      end
      local text = labels[citation.id] or error("nothing carries the label @" .. citation.id)
      if citation.mode == "SuppressAuthor" then text = text:match(nbsp .. "(%d+)$") or text end
      if position > 1 then out:extend({ pandoc.Str(","), pandoc.Space() }) end
      out:insert(pandoc.Link(text, "#" .. citation.id))
    end
    return out
  end
end

-- References ----------------------------------------------------------------------------------------------------------

local function with_reference_list(blocks)
  local cited, listed = false, false
  blocks:walk({
    Cite = function() cited = true end,
    Div = function(div) listed = listed or div.identifier == "refs" end,
  })
  if cited and not listed then
    blocks:insert(pandoc.Header(1, "References", { id = "references" }))
    blocks:insert(pandoc.Div({}, { id = "refs" }))
  end
  return blocks
end

function Pandoc(doc)
  local blocks, labels = doc.blocks, nil
  for _ = 1, 3 do blocks = blocks:walk({ Div = unwrap_cell }) end -- cell > cell-output > cell-output-display
  blocks = blocks:walk({ Div = unwrap_wide_table })
  blocks, labels = number_labels(blocks:walk({ Para = as_figure }))
  blocks = with_reference_list(blocks:walk({ Cite = resolve_cite(labels) }))
  return pandoc.Pandoc(blocks, doc.meta)
end
