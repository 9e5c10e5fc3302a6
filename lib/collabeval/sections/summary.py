"""The first page: kicker, the finding, five answers, one figure, how to read it."""

from __future__ import annotations

from collabeval.sections import pictures, pictures_in_time, profile
from collabeval.sections.narrative import narrated
from collabeval.sections.recommendations import advice
from collabeval.sections.report import FrontMatter, Report, Section, blocks, callout, text
from collabeval.statements import cards as card_rules
from collabeval.statements import checks, headline, numbers, phrases
from collabeval.statements.advice import first_three
from collabeval.statements.cards import Bar, Card

MOST_DOUBTS = 3  # named on the first page; the chapter Diagnostics has more


def front_matter(report: Report) -> FrontMatter:
    """The finding as the document's title."""
    params = report.published.params
    return FrontMatter(
        {
            "title": headline.headline(report.published, report.lead),
            "subtitle": f"{params.title}. Evaluation {params.edition}, collaborative edition",
            "author": params.report.author,
            "lang": params.report.language,
            "date": params.edition,
        }
    )


def kicker(report: Report) -> Section:
    """Above the title: a banner where a blocking check failed, and whose report this is."""
    params = report.published.params
    left = f"[{text(params.title)}]{{.kicker-left}}"
    right = f"[Evaluation {text(params.edition)} · collaborative edition]{{.kicker-right}}"
    return Section(blocks(banner(report), f"::: {{.kicker}}\n{left} {right}\n:::"))


def banner(report: Report) -> str:
    """The red banner of a provisional report; "" where every blocking check passed."""
    failed = failed_checks(report, "blocking")
    if not failed:
        return ""
    names = numbers.listed(failed, 4)
    what = text(
        f"Do not circulate. The estimates below may change when the model is run again. Checks that failed: {names}. "
        "The "
        "chapter Diagnostics says what each means and what to do."
    )
    title = "Provisional: a check failed" if len(failed) == 1 else "Provisional: checks failed"
    return f"::: {{.banner}}\n[{title}]{{.banner-title}}\n\n{what}\n:::"


def failed_checks(report: Report, level: str) -> list[str]:
    """Names of the checks of a level that failed, each once."""
    rows = report.published.diagnostics
    failed = rows[rows["level"].eq(level) & ~rows["passed"].astype(bool)]
    return [numbers.lower_first(name) for name in dict.fromkeys(checks.name(str(check)) for check in failed["check"])]


@narrated("summary")
def summary(report: Report) -> Section:
    """Lead, the five cards, the main figure, how to read them, a line on each other measure."""
    lead = report.lead
    actions = first_three(advice(report), lead.view.params.label)
    answers = card_rules.cards(report.published, lead, actions)
    return Section(
        blocks(
            f"::: {{.lead}}\n{text(headline.lead(report.published, lead))}\n:::",
            ":::: {.cards}\n\n" + "\n\n".join(card_block(card) for card in answers) + "\n\n::::",
            _other_measures(report),
            text(profile.message(report)),
            main_figure(report),
            _advisory(report),
            how_to_read(report),
        )
    )


def main_figure(report: Report) -> str:
    """The trend where there is one, else the sites."""
    if main_figure_is_trend(report):
        return pictures_in_time.trend(report, report.lead)
    return pictures.caterpillar(report, report.lead)


def main_figure_is_trend(report: Report) -> bool:
    """Whether the first page shows the collaborative over time; else it shows its sites."""
    return len(pictures_in_time.trend_rows(report, report.lead)) > 1


def card_block(card: Card) -> str:
    """A card as a block of Markdown."""
    kind = ".card .wide" if card.items else ".card"
    parts = [f"[{card.question}]{{.question}}"]
    if card.answer:
        parts.append(f"[{text(card.answer)}]{{.answer}}")
    parts += [text(card.text)] if card.text else []
    parts += [_bar(card.bar)] if card.bar else []
    if card.items:
        parts.append("\n".join(f"{number}. {text(item)}" for number, item in enumerate(card.items, start=1)))
    return f"::: {{{kind}}}\n" + "\n\n".join(parts) + "\n:::"


def _bar(bar: Bar) -> str:
    share = f'[]{{.bar .{bar.kind} share="{round(bar.share, 2):g}"}}'
    return f"[{text(bar.label)}]{{.bar-label}} [{text(bar.value)}]{{.bar-value}} {share}"


def _other_measures(report: Report) -> str:
    """A line on each measure but the leading one."""
    lines = [f"- {text(headline.line_on(report.published, facts))}" for facts in report.facts[1:]]
    return blocks("The other measures:", "\n".join(lines)) if lines else ""


def _advisory(report: Report) -> str:
    """The amber note where an advisory check failed."""
    failed = failed_checks(report, "advisory")
    if not failed:
        return ""
    rows = report.published.diagnostics
    rows = rows[rows["level"].eq("advisory") & ~rows["passed"].astype(bool)]
    found = dict.fromkeys(doubt for changes in rows["changes"] for doubt in checks.doubts(changes))
    doubt = f" In doubt: {numbers.listed(found, MOST_DOUBTS)}." if found else ""
    said = f"Not passed: {numbers.listed(failed, 5)}. The results stand, with care.{doubt} See the chapter Diagnostics."
    return callout("warning", "A check advises care", text(said))


def how_to_read(report: Report) -> str:
    """The grey note under the first figure."""
    lead, rules, nouns = report.lead, report.published.params.rules, report.lead.nouns
    if lead.change is None:
        word = f"**Better** or **worse** is a word by rule: {text(phrases.chances(rules.level))}."
    else:
        word = f"**Improved** or **worsened** is a word by rule: {text(phrases.chances(rules.trajectory))}."
    example = text(numbers.chance(0.16))
    return callout(
        "note",
        "How to read this page",
        f"**{example}:** of 100 statements made with this much confidence, about 16 turn out true. **95% interval:** "
        "the "
        f"range that holds the truth with 95 chances in 100. {word} Small {text(nouns[1])} are drawn towards the "
        "average, "
        "because small numbers swing by chance.",
    )
