-- Writes the parts of a report that have a look of their own: kicker, lead and banner (placed by the templates), cards,
-- call-outs, tabs and the list of contents.

local is_typst = FORMAT:match("typst") ~= nil

local function raw(text)
  return pandoc.RawInline(is_typst and "typst" or "html", text)
end

local function raw_block(text)
  return pandoc.RawBlock(is_typst and "typst" or "html", text)
end

local function escape_html(text)
  return (text:gsub("&", "&amp;"):gsub("<", "&lt;"):gsub(">", "&gt;"):gsub('"', "&quot;"))
end

local function around(open, inlines, close)
  return pandoc.Inlines({ raw(open) }) .. inlines .. pandoc.Inlines({ raw(close) })
end

local function spans_of(block)
  local spans = {}
  if block.t == "Para" or block.t == "Plain" then
    for _, inline in ipairs(block.content) do
      if inline.t == "Span" then
        for _, class in ipairs(inline.classes) do spans[class] = inline end
      end
    end
  end
  return spans
end

-- Cards ---------------------------------------------------------------------------------------------------------------

-- A card taken apart: question, answer, the text between, and the bar at its foot.
local function card_parts(div)
  local parts = { wide = div.classes:includes("wide"), body = pandoc.Blocks({}) }
  for _, block in ipairs(div.content) do
    local spans = spans_of(block)
    if spans.question then
      parts.question = spans.question.content
    elseif spans.answer then
      parts.answer = spans.answer.content
    elseif spans.bar then
      parts.label, parts.value, parts.bar = spans["bar-label"].content, spans["bar-value"].content, spans.bar
    else
      parts.body:insert(block)
    end
  end
  return parts
end

local function share_of(bar)
  local share = tonumber(bar.attributes.share) or error("a bar needs share=\"0.16\", a number from 0 to 1")
  return string.format("%.1f%%", 100 * math.max(0, math.min(1, share)))
end

local function html_card(parts)
  local blocks = pandoc.Blocks({ raw_block('<article class="card' .. (parts.wide and " wide" or "") .. '">') })
  if parts.question then
    blocks:insert(pandoc.Plain(around('<h2 class="question">', parts.question, "</h2>")))
  end
  if parts.answer then
    blocks:insert(pandoc.Plain(around('<p class="answer">', parts.answer, "</p>")))
  end
  blocks:extend(parts.body)
  if parts.bar then
    local kind = parts.bar.classes:includes("share") and "share" or "chance"
    local bar = around('<div class="bar ' .. kind .. '"><span class="bar-label">', parts.label, "</span> ")
      .. around("<strong>", parts.value, "</strong>")
    bar:insert(raw('<span class="track" aria-hidden="true"><span style="width:' .. share_of(parts.bar)
      .. '"></span></span></div>'))
    blocks:insert(pandoc.Plain(bar))
  end
  blocks:insert(raw_block("</article>"))
  return blocks
end

local function typst_card(parts)
  local head = around("(question: [", parts.question or {}, "], ")
  if parts.answer then head:extend(around("answer: [", parts.answer, "], ")) end
  if parts.bar then
    local tone = parts.bar.classes:includes("share") and "mark" or "accent"
    head:extend(around("bar: bar([", parts.label, "], [") .. around("", parts.value, "], " .. share_of(parts.bar)))
    head:insert(raw(", " .. tone .. "), "))
  end
  head:insert(raw("body: ["))
  return pandoc.Blocks({ pandoc.Plain(head) }) .. parts.body .. pandoc.Blocks({ raw_block("]),") })
end

local function html_cards(div)
  local blocks = pandoc.Blocks({ raw_block('<section class="cards" aria-label="Key messages">') })
  for _, card in ipairs(div.content) do
    blocks:extend(html_card(card_parts(card)))
  end
  blocks:insert(raw_block("</section>"))
  return blocks
end

local function typst_cards(div)
  local grid, wide = pandoc.Blocks({}), pandoc.Blocks({})
  for _, card in ipairs(div.content) do
    local parts = card_parts(card);
    (parts.wide and wide or grid):extend(typst_card(parts))
  end
  local blocks = pandoc.Blocks({ raw_block("#cards((") }) .. grid
  blocks:insert(raw_block("), ("))
  blocks:extend(wide)
  blocks:insert(raw_block("))"))
  return blocks
end

-- Call-outs and tabs -----------------------------------------------------------------------------------------------------

local function callout(div, kind)
  local title = div.attributes.title or error("a call-out needs a title")
  if is_typst then
    local blocks = pandoc.Blocks({ pandoc.Plain(around('#callout-box("' .. kind .. '", [', { pandoc.Str(title) }, "], [")) })
    blocks:extend(div.content)
    blocks:insert(raw_block("])"))
    return blocks
  end
  local blocks = pandoc.Blocks({ raw_block('<div class="callout callout-' .. kind .. '" role="note">\n<p class="callout-title">'
    .. escape_html(title) .. "</p>") })
  blocks:extend(div.content)
  blocks:insert(raw_block("</div>"))
  return blocks
end

-- The evaluator's words: a call-out that may run over pages.
local function narrative(div)
  local title = div.attributes.title or error("a narrative needs a title")
  if is_typst then
    local blocks = pandoc.Blocks({ pandoc.Plain(around("#narrative-box([", { pandoc.Str(title) }, "], [")) })
    blocks:extend(div.content)
    blocks:insert(raw_block("])"))
    return blocks
  end
  local blocks = pandoc.Blocks({ raw_block('<p class="narrative-title">' .. escape_html(title) .. "</p>") })
  blocks:extend(div.content)
  return pandoc.Div(blocks, { class = "narrative", role = "note" })  -- a true Div, so that sections in it end with it
end

-- Tabs without a script: each is a disclosure that opens in place; in print and PDF all of them are open.
local function tabset(div)
  local blocks, open = pandoc.Blocks({}), false
  for _, block in ipairs(div.content) do
    if block.t == "Header" and is_typst then
      blocks:insert(pandoc.Para(around("#tab-title[", block.content, "]")))
    elseif block.t == "Header" then
      blocks:insert(raw_block(open and "</details>\n<details>" or "<details open>"))
      blocks:insert(pandoc.Plain(around("<summary>", block.content, "</summary>")))
      open = true
    else
      blocks:insert(block)
    end
  end
  if open then blocks:insert(raw_block("</details>")) end
  return is_typst and blocks or pandoc.Div(blocks, { class = "tabset" })
end

local function div_look(div)
  for _, class in ipairs(div.classes) do
    local kind = class:match("^callout%-(%a+)$")
    if kind then return callout(div, kind) end
  end
  if div.classes:includes("narrative") then return narrative(div) end
  if div.classes:includes("cards") then return is_typst and typst_cards(div) or html_cards(div) end
  if div.classes:includes("panel-tabset") then return tabset(div) end
end

-- Parts that the templates place --------------------------------------------------------------------------------------

local function take_front(blocks, meta)
  local rest = pandoc.Blocks({})
  for _, block in ipairs(blocks) do
    local is = function(class) return block.t == "Div" and block.classes:includes(class) end
    if is("kicker") and not meta["kicker-left"] then
      local spans = spans_of(block.content[1])
      meta["kicker-left"] = pandoc.MetaInlines(spans["kicker-left"].content)
      meta["kicker-right"] = pandoc.MetaInlines(spans["kicker-right"].content)
    elseif is("lead") and not meta.lead then
      meta.lead = pandoc.MetaBlocks(block.content)
    elseif is("banner") and not meta["banner-title"] then
      meta["banner-title"] = pandoc.MetaInlines(spans_of(block.content[1])["banner-title"].content)
      local text = pandoc.Blocks(block.content)
      local first = text[1].content:filter(function(inline) return inline.t ~= "Span" end)
      text[1] = pandoc.Para(first)
      meta.banner = pandoc.MetaBlocks(text:filter(function(part) return pandoc.utils.stringify(part) ~= "" end))
    else
      rest:insert(block)
    end
  end
  return rest
end

-- Whether a block opens the list of blocks that pages.typ lays on pages, with the first chapter in it (figures.lua).
local function opens_pages(block)
  return block and block.t == "RawBlock" and block.text:match("^#on%-pages") ~= nil
end

-- The chapters (headings of level 1 here; Pandoc shifts levels after the filters), listed before the first of them (the page above it is the summary).
local function with_contents(blocks)
  local items, first = {}, nil
  for position, block in ipairs(blocks) do
    if block.t == "Header" and block.level == 1 then
      first = first or position
      table.insert(items, { pandoc.Plain({ pandoc.Link(block.content, "#" .. block.identifier) }) })
    end
  end
  if #items < 3 then
    return blocks
  end
  local list = { raw_block("#contents()") }
  if not is_typst then
    list = { raw_block('<nav class="contents" aria-labelledby="contents-title"><p id="contents-title">Contents</p>'),
      pandoc.BulletList(items), raw_block("</nav>") }
  end
  if opens_pages(blocks[first - 1]) then first = first - 1 end
  for offset, block in ipairs(list) do blocks:insert(first + offset - 1, block) end
  return blocks
end

-- A numbered list that goes on from an earlier one keeps the look of the first; a paragraph that ends in a colon keeps
-- with what it announces.
local function typst_flow(blocks)
  return blocks:walk({
    OrderedList = function(list)
      if list.start == 1 then return nil end
      local start = list.start
      list.start = 1
      return { raw_block("#set enum(start: " .. start .. ")"), list, raw_block("#set enum(start: 1)") }
    end,
    Para = function(para)
      if not pandoc.utils.stringify(para):match(":$") then return nil end
      return pandoc.Plain(around("#block(sticky: true)[", para.content, "]"))
    end,
  })
end

function Pandoc(doc)
  doc.blocks = with_contents(take_front(doc.blocks, doc.meta)):walk({ Div = div_look })
  if is_typst then doc.blocks = typst_flow(doc.blocks) end
  return doc
end
