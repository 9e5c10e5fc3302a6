"""The profile of the five features in words: the finding, the figure, what each score is made of, what would help."""

from __future__ import annotations

import math

import pandas as pd

from collabeval.disclosure import Published
from collabeval.disclosure.profile import ProfileView
from collabeval.params import FurtherName
from collabeval.params.profile import FEWEST_RATERS
from collabeval.params.survey import FEWEST
from collabeval.statements import features, numbers
from collabeval.statements.features import TARGET_WORDS
from collabeval.statements.figures import Words, words
from collabeval.statements.numbers import NO_BREAK

OWN_PARTS = {
    "survey": "People who agree in the survey",
    "ratings": "Score that raters give",
    "audit": "Audited fields that agree",
}
SOURCES = {"survey": "survey", "ratings": "ratings", "audit": "audit"}
TABLES = {
    "indicators": "a table of indicators",
    "survey": "a table of answers to the survey",
    "ratings": "a table of ratings of the features",
    "audit": "a table of records abstracted twice",
}
FEATURES_IN_ALL = 5
MOST_ADVICE = 3


def verdicts(published: Published, view: ProfileView) -> list[str]:
    """Slug of each feature, in the order of the scores."""
    level = published.params.profile.at_target
    return [features.against_target(chance, level) for chance in view.scores["at_target"]]


def finding(published: Published, view: ProfileView) -> str:
    """The profile in one sentence, without its full stop."""
    some = " with data" if len(view.scores) < FEATURES_IN_ALL else ""
    return features.targets_met(verdicts(published, view), ("feature", "features"), some)


def change(published: Published, view: ProfileView) -> str:
    """What rose or fell since last year, in a sentence; "" where nothing can be compared."""
    known = view.scores[view.scores["improved"].notna()]
    if known.empty:
        return ""
    level = published.params.rules.trajectory
    slugs = [features.change_of(chance, level) for chance in known["improved"]]
    said = []
    for slug, verb in (("improved", "rose"), ("worsened", "fell")):
        names = [features.name(name) for name, own in zip(known["feature"], slugs, strict=True) if own == slug]
        if names:
            said.append(f"{numbers.listed(names)} {verb}")
    if not said:
        return f"Since last year none of {numbers.number_word(len(known))} rose or fell clearly."
    return f"Since last year {numbers.listed(said)}."


def figure(published: Published, view: ProfileView) -> Words:
    """Title, subtitle, note and alt text of the figure."""
    chosen = published.params.profile
    subtitle = f"Score from 0 to 100, made of {_sources(view)}."
    if view.total is None:
        subtitle += " No total is drawn: the features answer different questions."
    note = (
        "Dot, triangle (at target) or diamond (below): estimate.",
        f"Thick and thin lines: 50 and 95{NO_BREAK}in{NO_BREAK}100 chances that the truth is inside.",
        f"Bar: target, at {chosen.target:g}." + (" Ring: last year." if view.scores["previous"].notna().any() else ""),
        f"At or below target needs {numbers.chances_at_least(chosen.at_target)}.",
    )
    spoken = [
        f"{features.name(row['feature'])} {numbers.whole(row['q50'])}, {TARGET_WORDS[slug]}"
        for row, slug in zip(view.scores.to_dict("records"), verdicts(published, view), strict=True)
    ]
    return words(published, finding(published, view), subtitle, note, f"Scores from 0 to 100: {'; '.join(spoken)}.")


def _sources(view: ProfileView) -> str:
    """ "indicators, survey and ratings": what the scores are made of."""
    used = view.parts[view.parts["weight"].gt(0) & view.parts["why"].eq("")]["part"]
    kinds = dict.fromkeys(SOURCES.get(part, "indicators") for part in used)
    order = ("indicators", "survey", "ratings", "audit")
    return numbers.listed(kind for kind in order if kind in kinds)


def made_of(view: ProfileView, feature: str) -> str:
    """ "4 indicators, survey, ratings": the parts of one score, for the line under its name."""
    own = view.parts[view.parts["feature"].eq(feature) & view.parts["weight"].gt(0) & view.parts["why"].eq("")]
    codes = list(dict.fromkeys(own["part"]))
    counted = sum(code not in SOURCES for code in codes)
    said = [f"{counted} {numbers.plural(counted, ('indicator', 'indicators'))}"] if counted else []
    return ", ".join([*said, *(SOURCES[code] for code in SOURCES if code in codes)])


def part_name(published: Published, code: str) -> str:
    """A part of a score by its name."""
    labels = {indicator.id: indicator.label for indicator in published.params.indicators}
    return OWN_PARTS.get(code) or labels.get(code, code)


def unit(published: Published, code: str) -> str:
    """What stands behind a shown number of a part: "%", " days", or nothing."""
    if code in ("survey", "audit"):
        return "%"
    own = next((each.shown_unit for each in published.params.indicators if each.id == code), "")
    return own if own in ("", "%") else f"{NO_BREAK}{own}"


def weights(published: Published) -> str:
    """How parts weigh, in a sentence."""
    given = [features.name(name) for name in published.params.profile.weights]
    if not given:
        return "All parts of a feature count alike."
    return f"The parts of {numbers.listed(given)} count by weights that were set beforehand; all others alike."


def unassessed(published: Published) -> list[tuple[str, FurtherName, str]]:
    """What scores of features are made of and is not there: what it is, its table, and why there are no results."""
    survey = published.params.survey
    fewest = FEWEST if survey is None else survey.minimum_respondents
    few_people = f"fewer than {numbers.number_word(fewest)} people answered"
    few_raters = f"fewer than {numbers.number_word(FEWEST_RATERS)} raters scored the features"
    works = "indicators of how the collaborative works"
    views: list[tuple[str, FurtherName, object, str]] = [
        (works, "indicators", published.indicators, "none has numbers in the years compared"),
        ("what people say", "survey", published.survey, few_people),
        ("how raters saw it", "ratings", published.ratings, few_raters),
        ("audited records", "audit", published.audit, "no audited records in the years compared"),
    ]
    given = published.params.data.further
    return [(what, table, why if table in given else f"no table was given ({table}.csv)")
            for what, table, view, why in views if view is None]  # fmt: skip


def not_assessed(published: Published) -> str:
    """ "Not assessed: what people say, no table was given (survey.csv)."; "" where all are."""
    parts = [f"{what}, {why}" for what, _, why in unassessed(published)]
    return f"Not assessed: {'; '.join(parts)}." if parts else ""


def advice(published: Published, view: ProfileView) -> list[str]:
    """For each feature not at target, the part furthest below its own of those below it by the rule, and the usual."""
    found, level = [], published.params.profile.at_target
    scores = view.scores.assign(slug=verdicts(published, view))
    for row in scores[scores["slug"].ne("at_target")].sort_values("at_target", kind="stable").to_dict("records"):
        parts = _now(view.parts[view.parts["feature"].eq(row["feature"])])
        clear = parts["at_target"].map(lambda chance: features.against_target(chance, level)).eq("below_target")
        below = parts[parts["weight"].gt(0) & clear].sort_values("distance", kind="stable")
        if below.empty:
            continue
        found.append(f"{features.name(row['feature'])}: {_furthest(published, below.iloc[0])}")
    return found[:MOST_ADVICE]


def _furthest(published: Published, part: pd.Series) -> str:
    code = str(part["part"])
    own, target = (amount(published, code, part[name]) for name in ("estimate", "target"))
    usual = next((each.improve for each in published.params.indicators if each.id == code), "")
    said = f"“{part_name(published, code)}” is furthest below its target ({own} against {target})."
    return f"{said} {usual}".strip()


def amount(published: Published, code: str, value: float) -> str:
    """A value of a part on its own scale, with its unit."""
    if not math.isfinite(value):
        return numbers.NOT_ESTIMATED
    digits = 1 if code == "ratings" or abs(value) < 10 else 0
    return f"{numbers.decimal(value, digits)}{unit(published, code)}"


def _now(parts: pd.DataFrame) -> pd.DataFrame:
    """Of each part the latest year."""
    own = parts[parts["why"].eq("")]
    return own.sort_values("years_back", kind="stable").drop_duplicates("part")


def latest(view: ProfileView, feature: str) -> pd.DataFrame:
    """The parts of a feature as they count now."""
    return _now(view.parts[view.parts["feature"].eq(feature)])


def before(view: ProfileView, feature: str, part: str) -> float:
    """The value of a part last year; NaN without one."""
    rows = view.parts[view.parts["feature"].eq(feature) & view.parts["part"].eq(part) & view.parts["years_back"].eq(1)]
    return float(rows["estimate"].iloc[0]) if len(rows) else math.nan


def left_out(published: Published, view: ProfileView) -> str:
    """Indicators without a place in the score, and features without any part; "" where there are none."""
    sentences = []
    missing = [label for slug, label in list(features.NAMES.items())[:FEATURES_IN_ALL]
               if slug not in set(view.scores["feature"])]  # fmt: skip
    if missing:
        sentences.append(f"No data with a target, so no score: {numbers.listed(missing)}.")
    without = view.parts[view.parts["why"].ne("")]
    for why, rows in without.groupby("why", sort=True):
        names = [numbers.lower_first(part_name(published, str(code))) for code in rows["part"]]
        sentences.append(f"Not in a score ({why}): {numbers.listed(names, 6)}.")
    return " ".join(sentences)
