"""The studies of simulation-based calibration: every form of the model, family and engine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from calibration import ranks
from calibration.forms import FAMILIES, FORMS, Form
from calibration.replicates import Store, held
from collabeval.params import Family, Sampling

GOAL = {"laplace": 1000, "nuts": 40}  # replicates of a study: NUTS takes some hundred times as long
DRAWS = {"laplace": 200, "nuts": 1000}  # kept of a fit; from fewer NUTS would need further chains, each tuned anew
EFFECTIVE = 400  # proposals, or draws of every quantity, at least
BY_NUTS_ALONE = ("student",)  # forms that the fast engine refuses


@dataclass(frozen=True)
class Study:
    """Worlds of one form and family, fitted by one engine."""

    form: Form
    family: Family
    engine: str

    @property
    def name(self) -> str:
        """Name of its files."""
        return f"ranks_{self.form.name}_{self.family}_{self.engine}_{DRAWS[self.engine]}"

    @property
    def title(self) -> str:
        """As tables and figures call it."""
        return f"{self.family}, {self.form.title}"

    def add(self, store: Store, seed: int, number: int) -> None:
        """Fit and rank this world, unless it is held already."""
        if number not in held(store, self.name):
            sampling = Sampling(seed=0, chains=2, draws=DRAWS[self.engine] // 2, minimum_ess=EFFECTIVE)
            store.add(self.name, ranks.replicate(self.family, self.form, seed, number, self.engine, sampling))


STUDIES = tuple(
    Study(form, family, engine)
    for engine in ("laplace", "nuts")
    for form in FORMS.values()
    for family in form.families
    if engine == "nuts" or form.name not in BY_NUTS_ALONE
)


def chosen(forms: Iterable[str] | None, families: Iterable[str] | None, engine: str) -> list[Study]:
    """The studies of an engine with these forms and families; of all where None is given."""
    wanted, of = set(forms or FORMS), set(families or FAMILIES)
    return [study for study in STUDIES
            if study.engine == engine and study.form.name in wanted and study.family in of]  # fmt: skip


def run(studies: list[Study], numbers: range, store: Store, seed: int) -> None:
    """Add these worlds to every study, all side by side: stopped, they have come equally far."""
    for number in numbers:
        for study in studies:
            study.add(store, seed, number)
        if number % 50 == 49:
            print(f"{number + 1} of {numbers.stop} replicates", flush=True)
