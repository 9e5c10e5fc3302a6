"""The demo: a collaborative for safer bowel surgery, its three measures, and names for its hospitals. All invented."""

from __future__ import annotations

from collabeval.simulate.collaborative import Behaviour, Simulated, collaborative

SEED = 20260105

# Effects are on the scale of the models: log-odds, log-rate, and for means units of the spread between patients. The
# planted sites stand out so far that the words can find them: a truth the rules cannot see would show nothing.
MEASURES = {
    "complication": Behaviour(
        family="binomial",
        rate=0.115,
        site_sd=0.28,
        trajectory_sd=0.08,
        overdispersion_sd=0.10,
        improvement=-0.30,
        deviant=-1.10,
        worsening=0.34,
        case_mix_sd=0.15,
    ),
    "infection": Behaviour(
        family="poisson",
        rate=0.0065,
        site_sd=0.35,
        trajectory_sd=0.10,
        overdispersion_sd=0.12,
        improvement=-0.45,
        deviant=-1.70,
        worsening=0.45,
        exposure=11.0,
    ),
    "stay": Behaviour(
        family="normal",
        rate=7.4,
        site_sd=0.20,
        trajectory_sd=0.05,
        overdispersion_sd=0.05,
        improvement=-0.25,
        deviant=-0.55,
        worsening=0.16,
        spread=3.6,
    ),
}

TOWNS = (
    "Aldermarsh", "Amberwick", "Ashcombe Vale", "Bellhaven", "Brackenholt", "Briarstow", "Calderwick", "Carrowmere",
    "Castle Orrin", "Cloverley", "Coldharbour Bay", "Copperford", "Cranmoor", "Dunlarig", "Eastmarch",
    "Ellerby Cross", "Elmsward", "Fairlough", "Fennimore", "Fernhollow", "Foxbarrow", "Garrowby", "Glenavary",
    "Greyfriars", "Hallowdene", "Harrowmouth", "Hartsmere", "Hazelbourne", "Highmoor", "Hollinwell", "Ivelbridge",
    "Kestrel Point", "Kingsarrow", "Lambswick", "Langthorn", "Larkstone", "Lindenfold", "Lower Wessick", "Maplestead",
    "Marrowdale", "Merrivale", "Millhaven", "Netherby Sands", "New Callow", "Northmere", "Oakhallow", "Old Tarrin",
    "Orchardleigh", "Osterbridge", "Pemberlow", "Pinefleet", "Port Ellery", "Quarrington", "Ravensmead", "Redwater",
    "Rosemarket", "Rowanbeck", "Saltersea", "Sandholme", "Silverdene", "Stonecross", "Swallowfleet", "Tamarside",
    "Thornmere", "Umberleigh Bay", "Wattlesham", "Westerhope", "Willowbrook", "Wintermoor", "Yarrowdale",
)  # fmt: skip


def demo(seed: int = SEED, sites: int = len(TOWNS), quarters: int = 20) -> Simulated:
    """The shipped demo (by default), or one like it from another seed or smaller: `data/demo_surgical/*.csv`."""
    return collaborative(MEASURES, seed, TOWNS[:sites], quarters)
