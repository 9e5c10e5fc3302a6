"""The params file that `collabeval new` writes: what an evaluator must fill in, with a comment where it matters."""

from __future__ import annotations

PARAMS = """\
# yaml-language-server: $schema=schema.json
# Every key, what it takes and its default: docs/params.md of collabeval. Check this file and the data, without fitting:
#   collabeval check {file}
collaborative: {collaborative}
title: Title of the report                # shown on its first page
edition: "{edition}"                           # year or label of this evaluation, in quotes

data:
  # A path counts from the folder the command is run in. For the Excel workbook write {data}/{collaborative}.xlsx twice.
  sites: {data}/sites.csv
  outcomes: {data}/outcomes.csv
  # records: {data}/records.csv           # one row per patient, for measures with a block `records`
{tables}  note: ""                                # one sentence on where the data come from, printed under every figure

periods:
  length: {length}                         # month, quarter, half, year; or none
  # year_starts: 4                        # fiscal years that begin in April; 2025 is then April 2025 to March 2026
  # First and last period of what is compared. Left out: the first and the last year of the data.
  # baseline: {baseline}
  # current: {current}

measures:
  death:                                  # the code that the column `measure` of the outcomes uses
    label: Deaths within 30 days of admission
    family: binomial                      # numerator out of denominator
    better: lower                         # or higher
    per: 100
    unit: deaths per 100 admissions
    events: deaths                        # the words a sentence uses
    cases: admissions
    minimum_denominator: 30               # fewer cases: no rank, no word but "worse"
    # minimal_difference: 1               # smallest difference that matters, in the unit; needed for "close to average"
    # benchmark: 3                        # a value to compare with, in the unit
  # falls:
  #   label: Falls
  #   family: poisson                     # events over an exposure, such as bed-days
  #   better: lower
  #   per: 1000
  #   unit: falls per 1,000 bed-days
  # wait:
  #   label: Waiting time
  #   family: normal                      # a mean, with sd and n, or with se
  #   better: lower
  #   unit: days
  # mortality:                            # counted from patients' records, with a case-mix model of its own
  #   label: Deaths in hospital
  #   family: binomial
  #   better: lower
  #   unit: deaths per 100 admissions
  #   events: deaths
  #   cases: admissions
  #   records:
  #     outcome: died                     # column of the records: 0 or 1
  #     case_mix: {{age: spline, sex: category}}
{blocks}
sampling:
  seed: {seed}                          # any whole number; the same seed gives the same results

report:
  sites: coded                            # or named
  minimum_cell: 11                        # counts of 1 to 10 are hidden; 0 hides nothing
  # site_noun: [hospital, hospitals]
"""
