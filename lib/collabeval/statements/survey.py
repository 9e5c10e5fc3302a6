"""The survey in words: who answered, the finding, the figure, differences between sites and roles, what would help."""

from __future__ import annotations

import math

import pandas as pd

from collabeval.disclosure import Published
from collabeval.disclosure.survey import SurveyView
from collabeval.params.survey import NO_SCALE, TARGET
from collabeval.statements import features, multiplicity, numbers
from collabeval.statements.facts import Named
from collabeval.statements.figures import Words, words
from collabeval.statements.numbers import NO_BREAK

LOW_RESPONSE = 0.6  # share of those asked below which those who answered may well think otherwise than the others
MOST_ADVICE = 3
MOST_NAMED = 2


def scales(view: SurveyView) -> pd.DataFrame:
    """The rows of whole scales, in the order of params."""
    return view.items[view.items["item"].eq("")]


def scale_name(scale: str) -> str:
    """A scale as a heading."""
    return numbers.capital(features.name(scale)) if scale != NO_SCALE else "Other questions"


def item_text(published: Published, code: str) -> str:
    """A question as asked; one that is put the other way round says so."""
    survey = published.params.survey
    if survey is None or code not in survey.items:
        return code
    item = survey.items[code]
    return f"{item.text} (turned round)" if item.reversed else item.text


def people(view: SurveyView) -> str:
    """Who answered, and what share of those asked that is."""
    now = view.people.iloc[0]
    said = f"{numbers.whole(now['respondents'])} people answered in {numbers.period_name(str(now['period']))}"
    if not math.isfinite(now["invited"]):
        return f"{said}; how many were asked is not known, so neither is the response rate."
    share = now["respondents"] / now["invited"]
    said = f"{said}, {numbers.percent(share)} of the {numbers.whole(now['invited'])} who were asked"
    if share < LOW_RESPONSE:
        return f"{said}: those who did not answer may think otherwise."
    return f"{said}."


def finding(published: Published, view: SurveyView) -> str:
    """Where most agree and where fewest do, and what has changed, in one sentence without its full stop."""
    rows = scales(view)
    best, least = (rows.sort_values("q50", kind="stable").iloc[place] for place in (-1, 0))
    if len(rows) == 1:
        said = f"{numbers.percent(best['q50'] / 100)} of people agree with what is asked about {_about(best)}"
    else:
        said = (
            f"People agree most about {_about(best)} ({numbers.percent(best['q50'] / 100)}) and least about "
            f"{_about(least)} ({numbers.percent(least['q50'] / 100)})"
        )
    return f"{said}{_changed(published, view)}"


def _about(row: pd.Series) -> str:
    return numbers.lower_first(scale_name(str(row["scale"])))


def _changed(published: Published, view: SurveyView) -> str:
    rows = scales(view)
    known = rows[rows["improved"].notna()]
    if known.empty:
        return ""
    slugs = [features.change_of(chance, published.params.rules.trajectory) for chance in known["improved"]]
    since = features.since(str(view.people["period"].iloc[-1])).strip()
    parts = []
    for slug, verb in (("improved", "rose"), ("worsened", "fell")):
        rows = known[[own == slug for own in slugs]]
        if len(rows):
            parts.append(f"{numbers.listed([_about(row) for _, row in rows.iterrows()], MOST_NAMED)} {verb}")
    return f"; {since} {numbers.listed(parts)}" if parts else f"; {since} no change is clear"


def figure(published: Published, view: SurveyView, by_item: bool) -> Words:
    """Title, subtitle, note and alt text of the figure."""
    now = view.people.iloc[0]
    earlier = str(view.people["period"].iloc[-1]) if len(view.people) > 1 else ""
    what = "each question" if by_item else "each group of questions"
    subtitle = f"Per cent who agree (4 or 5 of 5) with {what}, {numbers.period_name(str(now['period']))}."
    note = (
        f"Dot: estimate for the same mix of {published.params.report.site_noun[1]} and roles in both years.",
        f"Thick and thin lines: 50 and 95{NO_BREAK}in{NO_BREAK}100 chances that the truth is inside.",
        f"Ring: {numbers.period_name(earlier)}." if earlier else "",
        f"Rose or fell needs {numbers.chances_at_least(published.params.rules.trajectory)}." if earlier else "",
        "Questions put the other way round are turned, so that more is always better." if _turned(published) else "",
    )
    spoken = [
        f"{scale_name(str(row['scale']))} {numbers.percent(row['q50'] / 100)}"
        for row in scales(view).to_dict("records")
    ]
    alt = f"Share agreeing by group of questions: {'; '.join(spoken)}."
    return words(published, finding(published, view), subtitle, note, alt)


def _turned(published: Published) -> bool:
    survey = published.params.survey
    return survey is not None and any(item.reversed for item in survey.items.values())


def apart(published: Published, view: SurveyView) -> pd.DataFrame:
    """Sites and roles that clearly differ from all people together, with the chance of that."""
    level = published.params.rules.level
    rows = view.groups.assign(chance=view.groups["above"].where(view.groups["above"] >= 0.5, 1 - view.groups["above"]))
    return rows[rows["chance"] >= level].sort_values(["kind", "label", "scale"], kind="stable")


def groups(published: Published, view: SurveyView) -> str:
    """How many sites and roles differ, and how many cannot be shown, in sentences."""
    nouns = {"site": tuple(published.params.report.site_noun), "role": ("role", "roles")}
    sentences = []
    clear = apart(published, view)
    for kind, names in nouns.items():
        own = view.groups[view.groups["kind"].eq(kind)]["label"].nunique()
        named = clear[clear["kind"].eq(kind)]
        if own:
            number = named["label"].nunique()
            which = numbers.capital(numbers.counted(number, names, of=own))
            which = which if number else f"No {names[0]} of{NO_BREAK}{numbers.whole(own)}"
            verb = numbers.verb(number, ("differs", "differ"))
            sentences.append(f"{which} {verb} clearly from all together in some group of questions.")
        if view.hidden[kind]:
            which = numbers.capital(numbers.counted(view.hidden[kind], names))
            are = numbers.plural(view.hidden[kind], ("is", "are"))
            sentences.append(
                f"{which} {are} not shown, so that nobody can be made out: at least {view.minimum} people must have "
                "answered."
            )
    apart_from_all = [Named(str(row["label"]), "apart", float(row["chance"])) for row in clear.to_dict("records")]
    return " ".join(filter(None, [*sentences, multiplicity.sentence("differences", apart_from_all)]))


def advice(published: Published, view: SurveyView) -> list[str]:
    """What would improve the survey's results, and the survey; a question named is below target by the rule."""
    survey, level = published.params.survey, published.params.profile.at_target
    target = survey.target if survey is not None else TARGET
    below = view.items["at_target"].map(lambda chance: features.against_target(chance, level)).eq("below_target")
    items = view.items[view.items["item"].ne("") & below].sort_values("q50", kind="stable")
    found = []
    if len(items):
        worst = items.iloc[0]
        found.append(
            f"Talk about “{item_text(published, str(worst['item']))}” at the next meeting: "
            f"{numbers.percent(worst['q50'] / 100)} agree, and the target is {target:g}% (chance "
            f"{features.chance_of('below_target', worst['at_target'])} that it is missed)."
        )
    now = view.people.iloc[0]
    if not math.isfinite(now["invited"]):
        found.append("Note how many people were asked, so that the response rate can be told.")
    elif now["respondents"] / now["invited"] < LOW_RESPONSE:
        found.append("Ask those who did not answer again, and let site leads know their response rate.")
    if len(view.people) == 1:
        found.append("Ask the same questions again in a year: a change needs two surveys.")
    return found[:MOST_ADVICE]
