"""Worlds of answers that no model simulates, with the truth of every estimand in them.

People tick items of bounded scales. Places differ in level, in how far people lie apart, in size
and in the length of the scale; effects differ between studies, countries, sectors and by the
setting's own share, and not all of that is normal. The truth of an effect is the value of the
estimand, in standard deviations of the score within settings at the reference level. It has a
closed form: items are independent given what they share, over which quadrature integrates.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from scipy.special import ndtr

from helpers.hand_made import answer_study
from helpers.raw_studies import KEY, VOCABULARY
from metastudy.codebook.codebook import load
from metastudy.codebook.vocabulary import Vocabulary, merge
from metastudy.design.identification import SETTING
from metastudy.harmonize.harmonize import harmonize_file, save
from metastudy.harmonized.study import Study, load_study

KEYS = ["study", "country", "sector", "role"]
# All alike, which is what the prior of their shares expects. With 0.20 of settings beside 0.10,
# 0.15 and 0.10, fourteen settings leave the shares to that prior, and places cover 93 %. At this
# one point the exact posterior need not cover at its level either (exact_coverage.py).
SPREAD = dict.fromkeys(("study", "country", "sector", SETTING), 0.15)
# Two countries say next to nothing of how much countries differ, and at one fixed answer even the
# exact posterior need not cover at its level: with the components at 0.15 it covers 93.0 % of the
# places of eight settings and 93.8 % of the populations (by integration). It does on average over
# its prior, from which what is true is drawn in such worlds.
TOTAL = 0.3  # scale of the half-normal prior of the SD between settings, in the configuration
TOPS = np.array([3, 4, 6, 10])  # highest answer of a study's scale, the lowest being zero
WIDTH = 5.0  # of a scale, in standard deviations of people
LEVEL = (0.8, 1.5)  # how far a country's level lies above or below that of all, in the same
DISPERSION = 0.15  # SD between settings of the logarithm of the SD between people
LOADING = 0.85  # of an item on what all items of a score share
RATED_ALIKE = 0.3  # correlation of what different scores share
SITE_LEVEL, SITE_EFFECT = 0.25, 0.10  # standard deviations between the sites of a setting
OF_TRAIT = 3  # items
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(31)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.standard_normal(shape)


def skewed(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """A gamma distribution with skewness 1.4."""
    return (rng.gamma(2.0, 1.0, shape) - 2.0) / np.sqrt(2.0)


def uniform(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.uniform(-np.sqrt(3), np.sqrt(3), shape)


SHAPES: tuple[Callable[..., np.ndarray], ...] = (normal, skewed, uniform)  # of constructs in turn


@dataclass(frozen=True)
class World:
    """What all replicates of a world have in common.

    ``settings`` has the columns of KEYS, ``n`` (even) and ``sites`` (0: none); ``mean`` is the
    effect on each construct among people of the first role, by exposure, in standard deviations of
    people, and ``second_role`` what a second role has beyond it. ``not_asked`` are pairs of a study
    and a construct or vignette.
    """

    module: str
    settings: pd.DataFrame
    constructs: tuple[str, ...]
    vignettes: tuple[str, ...]
    factor: str
    mean: Mapping[str, tuple[float, ...]]
    trait: str = ""
    items: int = 3
    second_role: float = 0.0
    vignette_sd: float = 0.0
    not_asked: frozenset[tuple[str, str]] = frozenset()
    additions: Mapping[str, Any] = field(default_factory=dict)
    spreads_vary: bool = False  # between replicates, as the prior has them

    @property
    def vocabulary(self) -> Vocabulary:
        return merge(VOCABULARY, [self.additions])

    @property
    def exposures(self) -> list[str]:
        return list(self.mean)

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        return [(c, v) for c in self.constructs for v in self.vignettes]

    def asks(self, study: str, outcome: tuple[str, str]) -> bool:
        return not any((study, name) in self.not_asked for name in outcome)


@dataclass(frozen=True)
class Places:
    """What is true in J settings; latent numbers are in standard deviations of people.

    ``effect`` (J, exposure, construct), ``vignette`` (exposure, construct, vignette), ``level``
    (J, outcome), ``dispersion`` (J,), ``top`` (J,), ``trait_level`` (J,).
    """

    settings: pd.DataFrame
    effect: np.ndarray
    vignette: np.ndarray
    level: np.ndarray
    dispersion: np.ndarray
    top: np.ndarray
    trait_level: np.ndarray

    @property
    def by_outcome(self) -> np.ndarray:
        """Effects with those of the vignettes, shape (J, exposure, outcome)."""
        every = self.effect[..., None] + self.vignette
        return every.reshape(*every.shape[:2], -1)

    def first(self, rows: int) -> Places:
        """The first so many settings."""
        names = ("settings", "effect", "level", "dispersion", "top", "trait_level")
        return replace(self, **{name: getattr(self, name)[:rows] for name in names})


def draw_places(world: World, settings: pd.DataFrame, rng: np.random.Generator) -> Places:
    """Draw what is true in settings; those that share a study, country or sector share its part."""
    rows, roles = len(settings), list(dict.fromkeys(world.settings["role"]))
    shape = (len(world.exposures), len(world.constructs))
    effect = np.tile(np.array(list(world.mean.values())), (rows, 1, 1))
    effect += world.second_role * (settings["role"].to_numpy() != roles[0])[:, None, None]
    index = {g: np.unique(settings[g], return_inverse=True)[1] for g in KEYS[:3]}
    index[SETTING] = np.arange(rows)
    # The population is that of an only country or sector, whose part is in the mean.
    several = [g for g in index if g == SETTING or world.settings[g].nunique() > 1]
    spread = _spreads(several, shape, rng) if world.spreads_vary else SPREAD
    for grouping in several:
        at = index[grouping]
        levels = [SHAPES[k % 3](rng, (at.max() + 1, shape[0])) for k in range(shape[1])]
        effect += spread[grouping] * np.stack(levels, axis=-1)[at]
    outcomes = len(world.outcomes)
    countries = index["country"].max() + 1
    of_country = rng.uniform(*LEVEL, countries) * rng.choice([-1, 1], countries)
    of_country = of_country[index["country"]]
    own = rng.uniform(-0.5, 0.5, (index["study"].max() + 1, outcomes))[index["study"]]
    return Places(
        settings,
        effect,
        world.vignette_sd * rng.standard_normal((*shape, len(world.vignettes))),
        WIDTH / 2 + of_country[:, None] + own,
        np.exp(DISPERSION * rng.standard_normal(rows)),
        rng.choice(TOPS, index["study"].max() + 1)[index["study"]],
        WIDTH / 2 + of_country / 2,
    )


def _spreads(
    components: Sequence[str], shape: tuple[int, int], rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Standard deviations of components, shape (exposure, construct), as the prior draws them."""
    total = TOTAL * np.abs(rng.standard_normal(shape))
    shares = rng.dirichlet(np.ones(len(components)), shape)
    return {name: total * np.sqrt(shares[..., at]) for at, name in enumerate(components)}


# The truth, in closed form.


def _above(latent: np.ndarray, noise: np.ndarray, top: np.ndarray) -> np.ndarray:
    """Probability of an answer above 0, 1, ...; the last axis is new, ``top`` is the scale's."""
    cut = np.arange(TOPS.max()) + 0.5
    bound = np.where(cut < top[..., None], WIDTH * cut / top[..., None], np.inf)
    return np.asarray(ndtr((latent[..., None] - bound) / noise[..., None]))


def moments(
    latent: np.ndarray, shared: np.ndarray, noise: np.ndarray, top: np.ndarray, items: int
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of a score of items, in per cent of the scale.

    Parameters
    ----------
    latent : mean of the latent answer; the others broadcast to its shape.
    shared, noise : standard deviation of what the items share, and of each item's own part.
    top : highest answer.
    """
    latent, shared, noise, top = np.broadcast_arrays(latent, shared, noise, top)
    at = latent[..., None] + shared[..., None] * NODES
    above = _above(at, np.broadcast_to(noise[..., None], at.shape), top[..., None])
    mean = above.sum(axis=-1)
    square = (above * (2 * np.arange(above.shape[-1]) + 1)).sum(axis=-1)
    expected = (mean * WEIGHTS).sum(axis=-1)
    between = (mean**2 * WEIGHTS).sum(axis=-1) - expected**2
    within = ((square - mean**2) * WEIGHTS).sum(axis=-1) / items
    return 100 * expected / top, (100 / top) ** 2 * (between + within)


def truth(world: World, places: Places, mean_vignette: bool = False) -> np.ndarray:
    """Effects in standard deviations within settings, shape (J, exposure, outcome).

    The standard deviation is that of a study, pooled over its settings among ``places`` by degrees
    of freedom. The slope of a trait is that of the score on the trait's score.

    Parameters
    ----------
    mean_vignette : leave out what a vignette has beyond the others.
    """
    own = replace(places, vignette=0 * places.vignette) if mean_vignette else places
    effect, n = own.by_outcome, places.settings["n"].to_numpy()[:, None]
    spread, top = places.dispersion[:, None], places.top[:, None]
    sited = places.settings["sites"].to_numpy()[:, None] > 0
    slope = effect[:, 1] if world.trait else 0 * effect[:, 0]
    noise = spread * np.sqrt(1 - LOADING**2)

    def arm(treated: int) -> tuple[np.ndarray, np.ndarray]:
        site = sited * (SITE_LEVEL**2 + treated * SITE_EFFECT**2)
        shared = np.sqrt((spread * LOADING) ** 2 + slope**2 + site)
        latent = places.level + treated * effect[:, 0]
        return moments(latent, shared, noise, top, world.items)

    (low, variance), (high, _) = arm(0), arm(1)
    sd = np.sqrt(_pooled(places.settings["study"], variance, n / 2 - 1))
    found = [(high - low) / sd]
    if world.trait:
        latent, t_top = places.trait_level, places.top
        t_noise = places.dispersion * np.sqrt(1 - LOADING**2)
        shared = places.dispersion * LOADING
        t_variance = moments(latent, shared, t_noise, t_top, OF_TRAIT)[1][:, None]
        at = latent[:, None] + shared[:, None] * NODES
        trait = _above(at, np.tile(t_noise[:, None], len(NODES)), t_top[:, None]).sum(axis=-1)
        covariance = np.zeros_like(slope)
        for treated in (0, 1):
            # Items have one distribution given the trait, so one of them has the score's mean.
            latent = (places.level + treated * effect[:, 0])[..., None] + slope[..., None] * NODES
            site = sited * (SITE_LEVEL**2 + treated * SITE_EFFECT**2)
            rest = np.broadcast_to(np.sqrt(spread**2 + site)[..., None], latent.shape)
            score = _above(latent, rest, top[..., None]).sum(axis=-1)
            both = (score * trait[:, None] * WEIGHTS).sum(axis=-1)
            covariance += both - (score @ WEIGHTS) * (trait @ WEIGHTS)[:, None]
        covariance *= (100 / top) ** 2 / 2
        t_sd = np.sqrt(_pooled(places.settings["study"], t_variance, n - 1))
        found.append(covariance / t_variance * t_sd / sd)
    return np.stack(found, axis=1)


def _pooled(study: pd.Series, variance: np.ndarray, df: np.ndarray) -> np.ndarray:
    """Variances pooled over the settings of each study, a row for each setting."""
    at = np.unique(study, return_inverse=True)[1]
    df = np.broadcast_to(df, variance.shape)
    total, freedom = (np.zeros((at.max() + 1, variance.shape[1])) for _ in range(2))
    np.add.at(total, at, df * variance)
    np.add.at(freedom, at, df)
    return (total / freedom)[at]


NEW = ("new_study", "new_country", "new_sector")


def with_new(world: World, rng: np.random.Generator) -> pd.DataFrame:
    """The settings of a world, and one new setting for each of NEW, in that order.

    Its study is new, its role the first; what is not new it has from a setting at hand.
    """
    table = world.settings
    mine = table[table["role"] == table["role"].iloc[0]]
    more = mine.iloc[rng.integers(len(mine), size=len(NEW))].assign(study=NEW, n=200, sites=0)
    for name, row in zip(("country", "sector"), more.index[1:], strict=True):
        more.loc[row, name] = "new"
    return pd.concat([table, more], ignore_index=True)


def population(world: World, copies: int = 600) -> dict[str, np.ndarray]:
    """Mean effects over all studies, countries and sectors that might be, by role.

    Of so many worlds with the same design; shape (exposure, construct) each.
    """
    world = replace(world, spreads_vary=False)  # what differs between places has a mean of zero
    table = pd.concat([world.settings] * copies, ignore_index=True)
    which = np.repeat(np.arange(copies), len(world.settings)).astype(str)
    for name in KEYS[:3]:
        table[name] = table[name] + " " + which
    found = truth(world, draw_places(world, table, np.random.default_rng(1)), mean_vignette=True)
    found = found.reshape(*found.shape[:2], len(world.constructs), -1).mean(axis=-1)
    roles = table["role"].to_numpy()
    return {str(role): found[roles == role].mean(axis=0) for role in dict.fromkeys(roles)}


# The people.


@dataclass(frozen=True)
class People:
    """Answers as whole numbers from zero on: ``items`` (N, outcome, item), ``trait`` (N, item)."""

    setting: np.ndarray
    site: np.ndarray
    arm: np.ndarray
    items: np.ndarray
    trait: np.ndarray


def people(world: World, places: Places, rng: np.random.Generator) -> People:
    """Let the people of settings answer; half of each are treated."""
    n = places.settings["n"].to_numpy()
    at = np.repeat(np.arange(len(n)), n)
    arm = np.concatenate([rng.permutation(np.arange(size) % 2) for size in n])
    sites = places.settings["sites"].to_numpy()
    site = np.concatenate(
        [rng.permutation(np.arange(m) % max(k, 1)) for m, k in zip(n, sites, strict=True)]
    )
    site = site + np.concatenate([[0], np.cumsum(np.maximum(sites, 1))])[at]
    shape = (len(at), len(world.outcomes), world.items)
    spread, top = places.dispersion[at][:, None, None], places.top[at]

    def between(sd: float) -> np.ndarray:
        own = sd * rng.standard_normal((site.max() + 1, shape[1]))
        return np.asarray(own[site] * (sites[at] > 0)[:, None])

    effect = places.by_outcome[at]
    trait = rng.standard_normal(len(at))
    latent = places.level[at] + between(SITE_LEVEL)
    latent = latent + arm[:, None] * (effect[:, 0] + between(SITE_EFFECT))
    if world.trait:
        latent = latent + effect[:, 1] * trait[:, None]
    alike = np.sqrt(RATED_ALIKE) * rng.standard_normal((len(at), 1))
    alike = alike + np.sqrt(1 - RATED_ALIKE) * rng.standard_normal(shape[:2])
    own = np.sqrt(1 - LOADING**2) * rng.standard_normal(shape)
    answers = latent[..., None] + spread * (LOADING * alike[..., None] + own)
    asked = LOADING * trait[:, None]
    asked = asked + np.sqrt(1 - LOADING**2) * rng.standard_normal((len(at), OF_TRAIT))
    asked = places.trait_level[at][:, None] + places.dispersion[at][:, None] * asked

    def ticked(value: np.ndarray) -> np.ndarray:
        high = top.reshape(-1, *[1] * (value.ndim - 1))
        return np.clip(np.rint(value / WIDTH * high), 0, high).astype(int)

    return People(at, site, arm, ticked(answers), ticked(asked))


def studies_of(world: World, places: Places, some: People) -> list[Study]:
    """The harmonized studies of people, without files."""
    found = []
    table = places.settings
    top = places.top[some.setting]
    scores = 100 * some.items.mean(axis=-1) / top[:, None]
    trait = 100 * some.trait.mean(axis=-1) / top
    for study in dict.fromkeys(table["study"]):
        here = table["study"].to_numpy()[some.setting] == study
        at = some.setting[here]
        answers: dict[tuple[str, str | None], Any] = {
            outcome: scores[here, k]
            for k, outcome in enumerate(world.outcomes)
            if world.asks(study, outcome)
        }
        exposures = [{"factor": world.factor, "type": "randomised"}]
        if world.trait:
            answers[world.trait, None] = trait[here]
            exposures.append({"construct": world.trait, "type": "measured"})
        levels = np.array(list(world.vocabulary.levels(world.factor)))
        sited = table["sites"].to_numpy()[at] > 0
        one = answer_study(
            study,
            answers,
            {world.factor: levels[some.arm[here]]},
            _asked(world, study),
            exposures,
            org=[
                f"site-{s:04d}" if k else None for s, k in zip(some.site[here], sited, strict=True)
            ],
            **{name: table[name].to_numpy()[at] for name in KEYS[1:]},
        )
        report = {**one.report, "vocabulary": world.additions}
        found.append(replace(one, report=report))
    return found


def through_files(world: World, places: Places, some: People, folder: Path) -> list[Study]:
    """The harmonized studies of people, by way of their files and codebooks."""
    files = {}
    for study in dict.fromkeys(places.settings["study"]):
        raw = folder / "raw" / study
        raw.mkdir(parents=True)
        data, book = _file(world, places, some, study), _codebook(world, places, study)
        data.to_csv(raw / "answers.csv", index=False)
        (raw / "codebook.yaml").write_text(yaml.safe_dump(book, sort_keys=False), "utf-8")
        digest = hashlib.sha256((raw / "answers.csv").read_bytes()).hexdigest()
        files[study] = {"answers.csv": digest}
    (folder / "raw" / "manifest.yaml").write_text(yaml.safe_dump(files), "utf-8")
    for study in files:
        save(harmonize_file(load(folder / "raw" / study, VOCABULARY), KEY), folder / study)
    return [load_study(folder / study) for study in files]


def _file(world: World, places: Places, some: People, study: str) -> pd.DataFrame:
    table = places.settings
    here = table["study"].to_numpy()[some.setting] == study
    at = some.setting[here]
    data = table.iloc[at][KEYS[1:]].reset_index(drop=True)
    data.insert(0, "nr", range(1, len(data) + 1))
    data["site"], data["arm"] = some.site[here], some.arm[here]
    for k, outcome in enumerate(world.outcomes):
        for i in range(world.items) if world.asks(study, outcome) else ():
            data[f"q{k}_{i}"] = some.items[here, k, i]
    for i in range(OF_TRAIT) if world.trait else ():
        data[f"t_{i}"] = some.trait[here, i]
    return data


def _codebook(world: World, places: Places, study: str) -> dict[str, Any]:
    mine = places.settings["study"].to_numpy() == study
    first = places.settings[mine].iloc[0]
    scale = {"min": 0, "max": int(places.top[mine][0])}
    levels = dict(enumerate(world.vocabulary.levels(world.factor)))
    variables: list[dict[str, Any]] = [{"name": "nr", "as": "id"}]
    variables += [{"name": name, "as": name} for name in KEYS[1:]]
    if first["sites"]:
        variables.append({"name": "site", "as": "site"})
    factor = {"randomised": True, "factors": {world.factor: levels}}
    variables.append({"name": "arm", "as": "factor"} | factor)
    for k, outcome in enumerate(world.outcomes):
        about = dict(zip(("construct", "vignette"), outcome, strict=True)) | scale
        for i in range(world.items) if world.asks(study, outcome) else ():
            variables.append({"name": f"q{k}_{i}", "as": "item"} | about)
    for i in range(OF_TRAIT) if world.trait else ():
        about = {"as": "item", "construct": world.trait} | scale
        variables.append({"name": f"t_{i}"} | about)
    exposures = [{"factor": world.factor, "type": "randomised"}]
    exposures += [{"construct": world.trait, "type": "measured"}] if world.trait else []
    added = {"vocabulary": dict(world.additions)} if world.additions else {}
    return {
        "study": {
            "id": study,
            "title": "A simulated study of a world with a known truth",
            "citation": "nobody2026",
            "design": "experiment",
            "response_mode": "vignette_hypothetical",
            "arrangement": "not_applicable",
            "provenance": "simulated",
            **{name: str(first[name]) for name in KEYS[1:]},
        },
        "file": {"name": "answers.csv", "format": "csv"},
        "variables": variables,
        "outcomes": _asked(world, study),
        "exposures": exposures,
        **added,
    }


def _asked(world: World, study: str) -> list[str]:
    return list(dict.fromkeys(o[0] for o in world.outcomes if world.asks(study, o)))


def over_countries(world: World, places: Places, some: People) -> np.ndarray:
    """The SD of a study's scores at the reference level over that within its settings.

    Over 1 where settings differ in level; shape (J, outcome).
    """
    scores = 100 * some.items.mean(axis=-1) / places.top[some.setting][:, None]
    reference = some.arm == 0
    table = pd.DataFrame(scores[reference])
    setting = some.setting[reference]
    study = places.settings["study"].to_numpy()[setting]
    apart = table - table.groupby(setting).transform("mean")
    count = pd.Series(setting).groupby(study).agg(lambda s: len(s) - s.nunique())
    within = (apart**2).groupby(study).sum().div(count, axis=0) ** 0.5
    ratio = table.groupby(study).std(ddof=1) / within
    return ratio.loc[places.settings["study"]].to_numpy()


# The worlds.


def sized(rows: Iterable[tuple[str, ...]], fewest: int, most: int) -> pd.DataFrame:
    """Settings with as many people as a geometric series has, in an order without meaning."""
    table = pd.DataFrame(list(rows), columns=KEYS).sort_values(KEYS, ignore_index=True)
    sizes = 2 * np.rint(np.geomspace(fewest, most, len(table)) / 2).astype(int)
    return table.assign(n=np.random.default_rng(5).permutation(sizes), sites=0)


def threat(two_countries: bool = False) -> World:
    """One randomised exposure, three outcomes of a family, sites in some of the studies."""
    rows = [
        (f"study_{s}", f"C{c}", f"s{k}", "professional")
        for s in range(4 if two_countries else 6)
        for c, k in (
            ((0, 0), (1, 0))
            if two_countries
            else ((s, s % 4), ((s + 1) % 6, (s + 2) % 4), *([(s, (s + 1) % 4)] * (s % 3 == 0)))
        )
    ]
    table = sized(rows, 40, 600)
    sites = table["study"].isin([] if two_countries else ["study_1", "study_4"])
    return World(
        module="threat",
        settings=table.assign(sites=6 * sites),
        constructs=("threat_quality", "threat_profession", "threat_job"),
        vignettes=("volunteers_at_work",),
        factor="task_type",
        mean={"task_type_randomised": (0.7, 0.6, 0.35)},
        not_asked=frozenset() if two_countries else frozenset({("study_2", "threat_job")}),
        additions=_named(table),
        spreads_vary=two_countries,
    )


def coping(two_countries: bool = False) -> World:
    """A randomised and a measured exposure, two families, two vignettes, two roles in a study."""
    rows = [
        (f"study_{s}", f"C{c}", f"s{k}", role)
        for s in range(4 if two_countries else 6)
        for c, k in (
            ((0, 0), (1, 0)) if two_countries else ((s, s % 3), ((s + 1) % 6, (s + 2) % 3))
        )
        for role in ("citizen_coproducer", "professional")[: 1 + (s == 2 and not two_countries)]
    ]
    table = sized(rows, 40, 600)
    voice = {
        "label": "Voice",
        "definition": "Speaking up.",
        "direction": "more",
        "family": "voiced",
    }
    added = {
        "families": {"voiced": {"label": "Voiced", "module": "coping"}},
        "constructs": {"coping_voice": voice},
    }
    return World(
        module="coping",
        settings=table,
        constructs=("coping_avoidance", "coping_tradeoff", "coping_voice"),
        vignettes=("user_vs_collective_value", "inclusion_vs_quality"),
        factor="external_efficacy",
        trait="trust_government",
        mean={
            "external_efficacy_randomised": (-0.5, 0.4, 0.7),
            "trust_government_measured": (0.0, 0.3, 0.5),
        },
        items=1,
        second_role=-0.3,
        vignette_sd=0.10,
        not_asked=frozenset()
        if two_countries
        else frozenset({("study_1", "inclusion_vs_quality"), ("study_3", "coping_voice")}),
        additions=_named(table) | added,
        spreads_vary=two_countries,
    )


def _named(table: pd.DataFrame) -> dict[str, dict[str, dict[str, str]]]:
    return {
        "countries": {str(c): {"label": f"Country {c}"} for c in sorted(set(table["country"]))},
        "sectors": {str(s): {"label": f"Sector {s}"} for s in sorted(set(table["sector"]))},
    }
