"""Audits in words: how far two abstractions of the same records agree, where least, what would help."""

from __future__ import annotations

import math

import pandas as pd

from collabeval.disclosure import Published
from collabeval.disclosure.audit import AuditView
from collabeval.statements import features, multiplicity, numbers
from collabeval.statements.facts import Named
from collabeval.statements.features import TARGET_WORDS
from collabeval.statements.figures import Words, words
from collabeval.statements.numbers import NO_BREAK

MOST_ADVICE = 3


def verdict(published: Published, chance: float, of_site: bool = False) -> str:
    """Slug of agreement against its target; words about a site need as much as "worse" does."""
    params = published.params
    return features.against_target(chance, params.rules.level if of_site else params.profile.at_target)


def finding(published: Published, view: AuditView) -> str:
    """ "Two abstractions agree on 96% of audited fields …: at target", without the full stop."""
    whole = view.whole.iloc[0]
    target = published.params.profile.audit_target
    slug = verdict(published, whole["at_target"])
    chance = features.chance_of(slug, whole["at_target"])
    against = f"we cannot tell whether that is at the target of {target:g}% ({chance} that it is)"
    if slug != "too_early":
        against = f"{TARGET_WORDS[slug]} ({target:g}%), chance {chance}"
    return f"Two abstractors agree on {numbers.decimal(whole['q50'], 1)}% of audited fields: {against}"


def sureness(view: AuditView) -> str:
    """The interval of agreement on all fields, and since when it is compared."""
    whole = view.whole.iloc[0]
    said = f"The {numbers.interval_95(whole['q025'], whole['q975'], 1)}%"
    if not math.isfinite(whole["previous"]):
        return f"{said}."
    change = numbers.interval(whole["change_low"], whole["change_high"], 1, sign=True)
    before = f"in {numbers.period_name(view.before)} it was {numbers.decimal(whole['previous'], 1)}%"
    return f"{said}; {before} (change {change})."


def correction(view: AuditView) -> str:
    """What is known of agreement by chance, in a sentence."""
    known = view.fields["kappa"].notna()
    if not known.any():
        return "What chance alone would give is not known, so agreement is shown as it is, without kappa."
    said = "Kappa is the part of the agreement beyond chance that there is: 0 is chance, 1 is full agreement."
    if known.all():
        return said
    without = numbers.listed([str(label) for label in view.fields.loc[~known, "label"]], 6)
    return f"{said} For {without} chance is not known, and agreement is shown as it is."


def figure(published: Published, view: AuditView) -> Words:
    """Title, subtitle, note and alt text of the figure."""
    before = f"Ring: {numbers.period_name(view.before)}." if view.fields["previous"].notna().any() else ""
    period = numbers.period_name(view.period)
    subtitle = f"Per cent of records on which two abstractors agree, by field, {period}, lowest first."
    note = (
        f"Dot: estimate, {published.params.report.site_noun[1]} and fields drawn together.",
        f"Thick and thin lines: 50 and 95{NO_BREAK}in{NO_BREAK}100 chances that the truth is inside.",
        f"Bar: target. {before}".strip(),
        f"At or below target needs {numbers.chances_at_least(published.params.profile.at_target)}.",
    )
    spoken = [
        f"{row['label']} {numbers.percent(row['q50'] / 100)}, {TARGET_WORDS[verdict(published, row['at_target'])]}"
        for row in lowest_first(view.fields).to_dict("records")
    ]
    return words(published, finding(published, view), subtitle, note, f"Agreement by field: {'; '.join(spoken)}.")


def lowest_first(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows by what needs work first."""
    return rows.sort_values(["q50", "label"], kind="stable")


def sites(published: Published, view: AuditView) -> str:
    """How many sites are at target, and which are below it."""
    nouns = tuple(published.params.report.site_noun)
    if len(view.sites) < 2:
        return ""
    slugs = [verdict(published, chance, of_site=True) for chance in view.sites["at_target"]]
    said = features.targets_met(slugs, (nouns[0], nouns[1]))
    below = [
        Named(str(label), slug, float(1 - chance))
        for label, chance, slug in zip(view.sites["label"], view.sites["at_target"], slugs, strict=True)
        if slug == "below_target"
    ]
    named = f"Below: {numbers.listed([site.site for site in below], 6)}." if below else ""
    least = f"Either word about a {nouns[0]} needs {numbers.chances_at_least(published.params.rules.level)}."
    return " ".join(filter(None, (f"{said}.", named, least, multiplicity.sentence("below target", below))))


def advice(published: Published, view: AuditView) -> list[str]:
    """What would improve agreement, and what is known of it."""
    found = []
    fields = lowest_first(view.fields)
    below = [
        str(row["label"]) for row in fields.to_dict("records") if verdict(published, row["at_target"]) == "below_target"
    ]
    if below:
        found.append(f"Go through the definition of {numbers.listed(below, 3)} with all abstractors, on real records.")
    if view.fields["kappa"].isna().any():
        found.append(
            "Give the share that chance alone would give (`chance` in the table of audits), so that kappa is known."
        )
    early = [row for row in fields.to_dict("records") if verdict(published, row["at_target"]) == "too_early"]
    if early:
        found.append("Audit more records of the fields of which we cannot tell whether they are at target.")
    return found[:MOST_ADVICE]
