"""What people say: answers to a survey, and ratings of the five features by raters of known severity."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from collabeval.simulate.draw import DIGITS
from collabeval.simulate.setting import Array, Setting, Truth

# question -> its feature, and how hard it is to agree with
ITEMS = {
    "learn_from_best": ("positive_deviance", 0.3),
    "practices_shared": ("positive_deviance", 0.0),
    "meetings_useful": ("coordination", -0.2),
    "questions_answered": ("coordination", 0.1),
    "data_trusted": ("measurement", 0.0),
    "reports_useful": ("measurement", -0.3),
    "targets_fair": ("levers", 0.4),
    "reward_worthwhile": ("levers", 0.2),
    "voice_heard": ("leadership", 0.0),
    "part_of_community": ("leadership", -0.4),
}
QUESTIONS = {
    "learn_from_best": "We learn from the hospitals that do best.",
    "practices_shared": "What works elsewhere reaches us.",
    "meetings_useful": "The meetings are worth the time they take.",
    "questions_answered": "The coordinating centre answers our questions soon.",
    "data_trusted": "I trust the data of the collaborative.",
    "reports_useful": "Our reports tell us what to work on.",
    "targets_fair": "The targets are fair to hospitals like ours.",
    "reward_worthwhile": "What we can earn is worth the effort.",
    "voice_heard": "Hospitals like ours are heard when it is decided what to do.",
    "part_of_community": "I feel part of a community.",
}
ROLE_EFFECTS = {"clinical_champion": 0.5, "programme_manager": 0.2, "clinician": -0.1, "abstractor": -0.4}
CUTS = np.array([-2.6, -1.2, 0.0, 1.7])  # of a middling person and question, in logits
SITE_SD, PERSON_SD, RATER_SD = 0.5, 0.8, 0.7
UNANSWERED, ABSENT = 0.04, 0.25  # share of questions left blank; of people who do not answer in a year
RATER_CUTS, DISCRIMINATION = np.array([-3.0, -1.2, 0.8, 2.6]), 1.5
SEVERE, LENIENT = 1.6, -1.2
RATIONALES = (
    "Seen at two meetings.", "From the minutes and the plan of work.", "From talks with five sites.",
    "From the annual report.", "Little was seen of it.",
)  # fmt: skip


def make_survey(generator: np.random.Generator, setting: Setting, sites: pd.DataFrame, truth: Truth) -> pd.DataFrame:
    """Answers of each site's people in the last two years: P(response ≤ k) = logistic(cut − (feature + person))."""
    people = _people(generator, sites, truth)
    for item, (_, hard) in ITEMS.items():
        for number, cut in enumerate(CUTS, start=1):
            truth.add("survey", f"threshold_{number}", cut + hard, code=item)
    parts = []
    for year in setting.years[-2:]:
        there = people[generator.random(len(people)) >= ABSENT]
        for item, (feature, hard) in ITEMS.items():
            agrees = setting.level(feature, year) + there["leaning"].to_numpy() - hard
            answers = pd.Series(_ordinal(generator, CUTS, agrees), index=there.index, dtype="Int64")
            answers = answers.mask(generator.random(len(there)) < UNANSWERED)
            row = {"respondent": there["respondent"], "item": item, "period": year, "site": there["site"]}
            parts.append(pd.DataFrame({**row, "role": there["role"], "response": answers}))
    return pd.concat(parts, ignore_index=True)


def _people(generator: np.random.Generator, sites: pd.DataFrame, truth: Truth) -> pd.DataFrame:
    """Three to eleven people of each site, with how far each leans to agreeing, for site, role and self."""
    count = generator.integers(3, 12, len(sites))
    own = np.round(generator.normal(0, SITE_SD, len(sites)), DIGITS)
    where = np.repeat(np.arange(len(sites)), count)
    roles = np.array(list(ROLE_EFFECTS))[generator.integers(0, len(ROLE_EFFECTS), len(where))]
    person = np.round(generator.normal(0, PERSON_SD, len(where)), DIGITS)
    truth.add("survey", "site_effect", own, site=sites["site"])
    truth.add("survey", "role_effect", list(ROLE_EFFECTS.values()), code=list(ROLE_EFFECTS))
    truth.add("survey", "respondent_sd", PERSON_SD)
    leaning = own[where] + np.array([ROLE_EFFECTS[role] for role in roles]) + person
    codes = [f"P{number:03d}" for number in generator.permutation(len(where)) + 1]
    return pd.DataFrame(
        {"respondent": codes, "site": sites["site"].to_numpy()[where], "role": roles, "leaning": leaning}
    )


def make_ratings(generator: np.random.Generator, setting: Setting, truth: Truth, raters: int = 7) -> pd.DataFrame:
    """A score by every rater for every feature and year; one rater is planted severe, and one lenient."""
    severity = np.round(generator.normal(0, RATER_SD, raters), DIGITS)
    severity[:2] = SEVERE, LENIENT
    severity -= severity.mean()
    codes = [f"R{number}" for number in range(1, raters + 1)]
    truth.add("ratings", "severity", severity, code=codes)
    parts = []
    for year in setting.years:
        for feature in setting.levels:
            sees = DISCRIMINATION * setting.level(feature, year) - severity
            score = _ordinal(generator, RATER_CUTS, sees)
            why = [RATIONALES[number] for number in generator.integers(0, len(RATIONALES), raters)]
            row = {"rater": codes, "feature": feature, "period": year, "score": score, "rationale": why}
            parts.append(pd.DataFrame(row))
    return pd.concat(parts, ignore_index=True)


def _ordinal(generator: np.random.Generator, cuts: Array, at: Array) -> npt.NDArray[np.int64]:
    """Answers 1 to 5 of a cumulative logit model: P(answer ≤ k) = logistic(cut_k − at)."""
    below = np.round(1 / (1 + np.exp(-(cuts[None, :] - np.asarray(at)[:, None]))), DIGITS)
    answers: npt.NDArray[np.int64] = 1 + (generator.random(len(at))[:, None] > below).sum(axis=1)
    return answers
