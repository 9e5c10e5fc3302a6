"""Learning from positive deviance: who does well, how certain that is, sustained or emerging; and whom to look at."""

from __future__ import annotations

import pandas as pd

from collabeval.sections import indicators
from collabeval.sections.narrative import narrated
from collabeval.sections.practices import LACKING, practices
from collabeval.sections.report import Missing, Report, Section, blocks, callout, slug, text
from collabeval.statements import multiplicity, numbers, phrases
from collabeval.statements import words as slugs
from collabeval.statements.facts import Facts, Named
from collabeval.statements.multiplicity import BEST, REVIEW
from collabeval.words import share_size

TITLE = "Learning from positive deviance"
FEATURES = ("positive_deviance",)  # of the indicators shown here
FEWEST = 10


def missing(report: Report) -> Missing | None:
    """Why the chapter is left out, if it is: no site has data enough for any word, and no indicator has numbers."""
    if any(enough(facts) for facts in report.facts) or indicators.there(report, FEATURES):
        return None
    return Missing(TITLE, f"no {report.lead.nouns[0]} has data enough", "more cases for each, or more periods")


def unassessed(report: Report) -> list[Missing]:
    """The part on practices, where there is no table of them; none where the whole chapter is left out."""
    return [] if missing(report) or report.published.practices is not None else [LACKING]


def enough(facts: Facts) -> list[Named]:
    """The sites with data enough to be called good."""
    return [site for site in facts.level if site.slug not in {"not_enough_data", "worse_few_cases"}]


@narrated("deviance")
def positive_deviance(report: Report) -> Section | Missing:
    """The chapter, one part per measure, then the indicators; left out where there is nothing to be said."""
    if lacking := missing(report):
        return lacking
    parts = [_measure(report, facts) for facts in report.facts]
    of_learning = indicators.added(report, "deviance", FEATURES, "learning from positive deviance")
    return Section(blocks(f"# {TITLE} {{#sec-deviance}}", *parts, practices(report), of_learning))


def _measure(report: Report, facts: Facts) -> str:
    named = facts.of("deviance", *BEST, *REVIEW)
    return blocks(
        report.heading(facts.view),
        callout("important", "Key message", text(_message(facts))),
        text(_how_certain(report, facts)),
        _table(report, facts) if named else "",
        text(_wrongly(facts)),
    )


def _message(facts: Facts) -> str:
    proven, early = facts.of("deviance", "positive_deviant"), facts.of("deviance", "emerging", "candidate")
    sentences = []
    if proven:
        kind = numbers.plural(len(proven), ("a consistently high performer", "consistently high performers"))
        sentences.append(
            f"{phrases.who(proven, 4)} {numbers.plural(len(proven), ('is', 'are'))} {kind} (positive deviance)."
        )
    else:
        sentences.append(f"No {facts.nouns[0]} is a consistently high performer by the rule.")
    if early:
        kind = numbers.plural(len(early), ("a candidate", "candidates"))
        sentences.append(f"{phrases.who(early, 4)} {numbers.plural(len(early), ('is', 'are'))} {kind}, worth a visit.")
    return " ".join(sentences)


def _how_certain(report: Report, facts: Facts) -> str:
    """Why words are few: what the rule asks, and what these data can give."""
    number, nouns = len(enough(facts)), facts.nouns
    if number < FEWEST:
        return (
            f"{numbers.capital(numbers.counted(number, nouns))} {numbers.verb(number, ('has', 'have'))} data "
            "enough; being "
            f"among the best is asked only from {numbers.number_word(FEWEST)} on."
        )
    rules = report.published.params.rules
    said = (
        f"To be called a consistently high performer takes {phrases.chances(rules.deviant)} of being among the best"
        f"{_best(facts, rules.best_share)} now"
    )
    if len(facts.view.windows.earlier) < 2:
        lacks = "these data hold fewer, so nothing can be called sustained"
        return f"{said}, and two earlier windows to show that it lasts; {lacks}."
    lasting = phrases.chances(rules.persistence)
    return f"{said}, and {lasting} of being better than average now and in both earlier windows."


def _best(facts: Facts, share: float | None) -> str:
    """ " seven of 70": how many are the best, and of how many."""
    size = share_size(facts.competing, share)
    return "" if size is None else f" {phrases.out_of(size, facts.competing, facts.nouns)}"


def _table(report: Report, facts: Facts) -> str:
    named = [*facts.of("deviance", *BEST), *facts.of("deviance", *REVIEW)]
    view, noun = facts.view, numbers.capital(facts.nouns[0])
    table = pd.DataFrame(
        {
            noun: [site.site for site in named],
            "Word": [slugs.word("deviance", site.slug) for site in named],
            "Chance": [phrases.chance_of(site).replace("more than ", ">") for site in named],
        }
    )
    return report.table(
        f"deviance-{slug(view)}", table, f"Whom to visit and whom to review: {view.params.label}", right=["Chance"]
    )


def _wrongly(facts: Facts) -> str:
    """How many of the named are to be reckoned with as named by chance."""
    both = ((BEST, "worth a visit"), (REVIEW, "advised for review"))
    said = (multiplicity.sentence(what, facts.of("deviance", *slugs_)) for slugs_, what in both)
    return " ".join(filter(None, said))
