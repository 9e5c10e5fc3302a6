-- Writes every figure: an SVG inside the page for HTML, an image with alternative text for Typst.
-- structure.lua has put the figure's number ("Figure 1") into `number`, and `summary` where it stands above the chapters.
-- In Typst the chapters are handed over block by block: pages.typ makes figures smaller, or sets what follows before
-- them, where the page would stay half empty.

local is_typst = FORMAT:match("typst") ~= nil

local printable = 0.7 -- height by width; such a picture shares a page with another when the page is printed

local function raw(text)
  return pandoc.RawInline(is_typst and "typst" or "html", text)
end

local function raw_block(text)
  return pandoc.RawBlock(is_typst and "typst" or "html", text)
end

local function escape_html(text)
  return (text:gsub("&", "&amp;"):gsub("<", "&lt;"):gsub(">", "&gt;"):gsub('"', "&quot;"))
end

local function typst_string(text)
  return '"' .. text:gsub("\\", "\\\\"):gsub('"', '\\"'):gsub("\n", " ") .. '"'
end

-- The SVG as part of the page (so that the page's font applies), its ids made unique to this figure.
local function inline_svg(source, prefix, alt)
  local file = io.open(source, "r") or error("the picture " .. source .. " is missing")
  local svg = file:read("a")
  file:close()
  svg = svg:sub((svg:find("<svg", 1, true)) or error(source .. " is not an SVG picture"))
  svg = svg:gsub("<metadata>.-</metadata>", ""):gsub("<!%-%-.-%-%->", ""):gsub("%s+$", "")
  svg = svg:gsub(' xmlns:xlink="[^"]*"', ""):gsub(" xlink:href=", " href=")
  local head, body = svg:match("^<svg(.-)>(.*)$")
  head = head:gsub('%s(width)="[^"]*"', ""):gsub('%s(height)="[^"]*"', "")
  body = body:gsub(' id="', ' id="' .. prefix):gsub("url%(#", "url(#" .. prefix):gsub('href="#', 'href="#' .. prefix)
  body = body:gsub(">%*{", ">svg *{")
  local width, height = head:match('viewBox="[%d.-]+ [%d.-]+ ([%d.]+) ([%d.]+)"')
  local class = width and height / width < printable and ' class="compact"' or ""
  return '<svg role="img" aria-label="' .. escape_html(alt) .. '" focusable="false" preserveAspectRatio="xMinYMin meet"'
    .. class .. head .. ">" .. body
end

local function html_figure(picture, caption)
  local drawing = '<img src="' .. escape_html(picture.src) .. '" alt="' .. escape_html(picture.alt) .. '">'
  if picture.src:match("%.svg$") then
    drawing = inline_svg(picture.src, (picture.id ~= "" and picture.id or picture.src:gsub("%W", "-")) .. "_", picture.alt)
  end
  local id = picture.id ~= "" and ' id="' .. picture.id .. '"' or ""
  local open = "<figure" .. id .. '>\n<div class="scroll" role="group" tabindex="0" aria-label="'
    .. (picture.number or "Figure") .. '">\n' .. drawing .. "\n</div>"
  if #caption == 0 then
    return { raw_block(open .. "\n</figure>") }
  end
  local text = pandoc.Inlines({ raw("<figcaption>") })
  if picture.number then text:extend({ pandoc.Str(picture.number .. ":"), pandoc.Space() }) end
  text:extend(caption)
  text:insert(raw("</figcaption>"))
  return { raw_block(open), pandoc.Plain(text), raw_block("</figure>") }
end

-- The figure in Typst, its picture set at a share of the text's width that `scale` names.
local function typst_figure(picture, caption, scale)
  local image = "report-image(" .. typst_string(picture.src) .. ", alt: " .. typst_string(picture.alt) .. ", width: " .. scale
    .. (picture.fit and ", caption: summary-caption, rest: summary-rest" or "") .. ")"
  local text = pandoc.Inlines({ raw("#figure(" .. image .. ", kind: image") })
  if not picture.number then text:insert(raw(", numbering: none")) end
  if #caption > 0 then
    text:insert(raw(", caption: ["))
    text:extend(caption)
    text:insert(raw("]"))
  end
  text:insert(raw(picture.id ~= "" and ") <" .. picture.id .. ">" or ")"))
  return pandoc.Plain(text)
end

local function picture_of(figure)
  local image = figure.content[1] and figure.content[1].content and figure.content[1].content[1]
  if not image or image.t ~= "Image" then
    return nil
  end
  local caption = pandoc.utils.blocks_to_inlines(figure.caption.long)
  local alt = image.attributes["fig-alt"] or image.attributes.alt or pandoc.utils.stringify(caption)
  if alt == "" then
    error("the picture " .. image.src .. " has neither fig-alt nor a caption")
  end
  local attributes = figure.attributes
  return { src = image.src, alt = alt, id = figure.identifier, number = attributes.number, fit = attributes.fit }, caption
end

local function typst_pictures(blocks)
  return blocks:walk({
    Figure = function(figure)
      local picture, caption = picture_of(figure)
      return picture and typst_figure(picture, caption, "100%")
    end,
  })
end

-- What pages.typ is told of a block: whether it may run over pages, and whether it keeps with the next.
local function kind_of(block)
  local classes = block.t == "Div" and block.classes or pandoc.List({})
  local announces = block.t == "Para" and pandoc.utils.stringify(block):match(":$")
  if block.t == "Header" then return 'kind: "heading", level: ' .. block.level end
  if announces then return 'kind: "announcement"' end
  if block.t == "Table" then return block.attributes.long and 'kind: "long-table"' or 'kind: "whole"' end
  if classes:find_if(function(class) return class:match("^callout%-") end) then return 'kind: "whole"' end
  return 'kind: "text"'
end

-- One block as an item of the list that pages.typ takes; a figure as a function of its scale.
local function item(block)
  local picture, caption = nil, nil
  if block.t == "Figure" then picture, caption = picture_of(block) end
  if not picture then
    return pandoc.Blocks({ raw_block("(" .. kind_of(block) .. ", body: [") }) .. typst_pictures(pandoc.Blocks({ block }))
      .. pandoc.Blocks({ raw_block("]),") })
  end
  return pandoc.Blocks({ raw_block('(kind: "figure", body: scale => ['),
    typst_figure(picture, caption, "scale * 100%"), raw_block("]),") })
end

-- From the first chapter to the end of the section of the last figure, with all its parts: first and last block; nil without
-- such a figure.
local function stretch(blocks)
  local first, last, level, own = nil, nil, 0, 0
  for position, block in ipairs(blocks) do
    if block.t == "Header" then first, level = first or position, block.level end
    if block.t == "Figure" and first then last, own = position, level end
  end
  if not last then return nil end
  local function ends(block) return block.t == "Header" and block.level <= own end
  while last < #blocks and not ends(blocks[last + 1]) do last = last + 1 end
  return first, last
end

-- The chapters as one list of blocks, which pages.typ lays on pages.
local function on_pages(blocks)
  local first, last = stretch(blocks)
  if not first then return typst_pictures(blocks) end
  local out = typst_pictures(pandoc.Blocks({ table.unpack(blocks, 1, first - 1) }))
  local opening = #out + 1
  for position = first, last do out:extend(item(blocks[position])) end
  out[opening].text = "#on-pages((" .. out[opening].text -- one block, before which look.lua puts the list of contents
  out:insert(raw_block("))"))
  out:extend(typst_pictures(pandoc.Blocks({ table.unpack(blocks, last + 1) })))
  return out
end

-- The picture of the summary page makes room for what stands below it, up to the first chapter.
local function fit_summary(blocks)
  local last, chapter = nil, #blocks + 1
  for position, block in ipairs(blocks) do
    if block.t == "Header" then
      chapter = position
      break
    end
    if block.t == "Figure" and block.attributes.summary then last = position end
  end
  if not last then return blocks end
  local out = pandoc.Blocks({})
  for position = 1, last - 1 do out:insert(blocks[position]) end
  local caption = pandoc.Inlines({ raw("#let summary-caption = [") })
  caption:extend(pandoc.utils.blocks_to_inlines(blocks[last].caption.long))
  caption:insert(raw("]"))
  out:insert(pandoc.Plain(caption))
  out:insert(raw_block("#let summary-rest = ["))
  for position = last + 1, chapter - 1 do out:insert(blocks[position]) end
  out:insert(raw_block("]"))
  blocks[last].attributes.fit = "true"
  out:insert(raw_block("#summary-top"))
  out:insert(blocks[last])
  out:insert(raw_block("#summary-rest"))
  for position = chapter, #blocks do out:insert(blocks[position]) end
  return out
end

local function html_pictures(blocks)
  return blocks:walk({
    Figure = function(figure)
      local picture, caption = picture_of(figure)
      return picture and html_figure(picture, caption)
    end,
  })
end

function Pandoc(doc)
  doc.blocks = is_typst and on_pages(fit_summary(doc.blocks)) or html_pictures(doc.blocks)
  return doc
end
