-- Writes every figure: an SVG inside the page for HTML, an image with alternative text for Typst.
-- structure.lua has put the figure's number ("Figure 1") into `number`, and `summary` where it stands above the chapters.

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

local function typst_figure(picture, caption)
  local image = "report-image(" .. typst_string(picture.src) .. ", alt: " .. typst_string(picture.alt)
    .. (picture.summary and ", summary: true" or "") .. ")"
  local text = pandoc.Inlines({ raw("#figure(" .. image .. ", kind: image") })
  if not picture.number then text:insert(raw(", numbering: none")) end
  if #caption > 0 then
    text:insert(raw(", caption: ["))
    text:extend(caption)
    text:insert(raw("]"))
  end
  text:insert(raw(picture.id ~= "" and ") <" .. picture.id .. ">" or ")"))
  return { pandoc.Plain(text) }
end

function Figure(figure)
  local image = figure.content[1] and figure.content[1].content and figure.content[1].content[1]
  if not image or image.t ~= "Image" then
    return nil
  end
  local caption = pandoc.utils.blocks_to_inlines(figure.caption.long)
  local alt = image.attributes["fig-alt"] or image.attributes.alt or pandoc.utils.stringify(caption)
  if alt == "" then
    error("the picture " .. image.src .. " has neither fig-alt nor a caption")
  end
  local write = is_typst and typst_figure or html_figure
  local attributes = figure.attributes
  return write({ src = image.src, alt = alt, id = figure.identifier, number = attributes.number,
    summary = attributes.summary }, caption)
end
