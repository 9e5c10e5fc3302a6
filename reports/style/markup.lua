-- Refuses what the report markup does not know, so that nothing is lost or shown as bare text (embedded renderer only;
-- Quarto knows more, and what is used here must look the same in both).

local function set(names)
  local known = {}
  for name in names:gmatch("%S+") do known[name] = true end
  return known
end

local divs = set("banner kicker lead cards card wide callout-note callout-important callout-warning wide-table panel-tabset refs narrative")
local spans = set("banner-title kicker-left kicker-right question answer bar bar-label bar-value chance share")

local function refuse(what)
  error("the report markup does not know " .. what, 0)
end

local function check_classes(element, known, what)
  for _, class in ipairs(element.classes) do
    if not known[class] then refuse(what .. " of class ." .. class) end
  end
end

local function check_raw(element)
  local text = element.text:gsub("^%s+", "")
  local fine = { html = text:match("^<math[%s>]") or text:match("^<!%-%-"), typst = text:match("^#math%.equation%(") }
  if not fine[element.format] then
    refuse("raw " .. element.format .. " other than an equation: " .. text:sub(1, 60))
  end
end

local function check_paragraph(paragraph)
  if #paragraph.content == 1 then return end
  for _, inline in ipairs(paragraph.content) do
    if inline.t == "Image" then refuse("a picture inside a line of text: " .. inline.src) end
  end
end

function Div(div)
  check_classes(div, divs, "a div")
  if div.identifier ~= "" and div.identifier ~= "refs" then refuse("a div with the label #" .. div.identifier) end
end

function Span(span)
  check_classes(span, spans, "a span")
end

function Math(math)
  refuse("mathematics between dollar signs: $" .. math.text .. "$ (equations come as MathML and Typst with a text)")
end

RawBlock, RawInline = check_raw, check_raw
Para, Plain = check_paragraph, check_paragraph
