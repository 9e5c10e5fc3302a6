-- Writes every figure: an SVG inside the page for HTML, an image with alternative text for Typst.
-- structure.lua has put the figure's number ("Figure 1") into `number`, and `summary` where it stands above the chapters.
-- In Typst a tall figure goes to the foot or the top of a page, and the table of its section runs on around it.

local is_typst = FORMAT:match("typst") ~= nil

local printable = 0.7 -- height by width; such a picture shares a page with another when the page is printed

-- Millimetres of the page that typst-template.typ sets.
local page_width, page_height = 176, 265
local half, least = 104, 0.85 -- height of a picture that shares a page, and the smallest scale that may bring it there
local around, line_height, line_length = 6.5, 3.9, 130 -- space around a figure, and its caption's lines and characters

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

-- Height by width of an SVG picture; nil for other pictures.
local function shape_of(source)
  local file = source:match("%.svg$") and io.open(source, "r")
  if not file then return nil end
  local width, height = file:read("a"):match('<svg[^>]-viewBox="[%d.-]+ [%d.-]+ ([%d.]+) ([%d.]+)"')
  file:close()
  return width and height / width
end

local function caption_height(caption)
  return around + line_height * math.ceil((utf8.len(pandoc.utils.stringify(caption)) or 0) / line_length)
end

-- The share of the text's width that a picture is set at: a little smaller than the text is wide where that lets two
-- pictures stand on a page.
local function scale_of(natural)
  return natural > half and natural * least <= half and half / natural or 1
end

local function typst_figure(picture, caption)
  local image = "report-image(" .. typst_string(picture.src) .. ", alt: " .. typst_string(picture.alt)
    .. string.format(", width: %.1f%%", 100 * picture.scale) .. (picture.fit and ", caption: summary-caption, rest: summary-rest" or "") .. ")"
  local text = pandoc.Inlines({ raw("#figure(" .. image .. ", kind: image") })
  if picture.float then text:insert(raw(", placement: " .. picture.float)) end
  if not picture.number then text:insert(raw(", numbering: none")) end
  if #caption > 0 then
    text:insert(raw(", caption: ["))
    text:extend(caption)
    text:insert(raw("]"))
  end
  text:insert(raw(picture.id ~= "" and ") <" .. picture.id .. ">" or ")"))
  return { pandoc.Plain(text) }
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
  return { src = image.src, alt = alt, id = figure.identifier, number = attributes.number,
    summary = attributes.summary }, caption
end

-- Two tall pictures in a row are made a little smaller where that brings them onto one page.
local function pair(first, second)
  local free = page_height - first.words - second.words
  local scale = free / (first.natural + second.natural)
  if scale >= least and scale < 1 then
    first.scale, second.scale = scale, scale -- nothing is left over, where a table would set its head alone
    return true
  end
  return scale >= 1
end

-- Size and place of the pictures of one section, in order, where a table follows that can run around them: the first
-- at the foot of the page if it is tall, so that it never stands above its own heading, and those that cannot
-- stand on the page of the first at the top of later ones.
local function arrange(pictures)
  local used, paired = 0, false
  for position, picture in ipairs(pictures) do
    local height = picture.natural * picture.scale + picture.words
    picture.float = picture.tabled and ((position == 1 and height > page_height / 2 and "bottom")
      or (used > 0 and used + height > page_height and "top")) or nil
    local before = pictures[position - 1]
    if picture.float == "top" and before.float == "top" and not paired then
      paired = pair(before, picture)
    else
      paired = false
    end
    used = used + height
  end
end

-- The pictures of the chapters with their sizes, arranged section by section.
local function plan(blocks)
  local planned, section = {}, {}
  local function close()
    arrange(section)
    section = {}
  end
  blocks:walk({
    traverse = "topdown",
    Header = function() close() end,
    Table = function()
      for _, picture in ipairs(section) do picture.tabled = true end
    end,
    Figure = function(figure)
      local picture, caption = picture_of(figure)
      if picture then
        local shape = shape_of(picture.src)
        picture.natural = shape and shape * page_width or 0
        picture.scale = picture.summary and 1 or scale_of(picture.natural)
        picture.words = caption_height(caption)
        picture.fit = figure.attributes.fit
        if not picture.summary then table.insert(section, picture) end
        table.insert(planned, picture)
      end
      return nil, false
    end,
  })
  close()
  return planned
end

-- A heading waits for the pictures of the section before it.
local function typst_pictures(blocks)
  local planned, next_one, waiting = plan(blocks), 0, false
  return blocks:walk({
    traverse = "topdown",
    Header = function(header)
      if not waiting then return nil end
      waiting = false
      return { raw_block("#place.flush()"), header }, false
    end,
    Figure = function(figure)
      local picture, caption = picture_of(figure)
      if not picture then return nil end
      next_one = next_one + 1
      waiting = waiting or planned[next_one].float ~= nil
      return typst_figure(planned[next_one], caption), false
    end,
  })
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
  doc.blocks = is_typst and typst_pictures(fit_summary(doc.blocks)) or html_pictures(doc.blocks)
  return doc
end
