"""Coping with value conflicts: a survey and an experiment among temporary users (Qualtrics).

Survey: four measured traits, then five strategies rated in each of two conflicts; exported as the
texts of the answers. Experiment: external efficacy and trust drawn at random, then five strategies
rated in one conflict; exported as numbers, with gaps.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from draw import answers, balanced, correlated, lapses
from formats import Question, write_qualtrics

Row = dict[str, object]  # one response, by ImportId; what is absent was not reached

STRATEGIES = {  # rated in this order; {value} is what trading off serves
    "coping_avoidance": "Ik ga het conflict uit de weg of stop met deelnemen",
    "coping_escalation": "Ik leg het conflict voor aan een hogere instantie",
    "coping_help_seeking": "Ik vraag de ambtenaar om hulp",
    "coping_tradeoff": "Ik kies voor {value}",
    "coping_balancing": "Ik zoek een middenweg die beide waarden deels dient",
}
CONFLICTS = {  # what is at stake, what trading off serves
    "inclusion_vs_quality": ("Iedereen betrekken of een goede dienst", "een goede dienst"),
    "user_vs_collective_value": ("Eigen belang of dat van de buurt", "mijn eigen belang"),
}
TRAITS = {  # in the order of the questionnaire: (reverse-keyed?, text)
    "external_efficacy": [
        (False, "De stad houdt rekening met wat wij als gebruikers voorstellen"),
        (False, "Onze inbreng verandert wat de stad doet"),
        (True, "Wat wij ook zeggen, de stad doet haar eigen zin"),
    ],
    "self_efficacy": [
        (False, "Ik kan een initiatief mee vormgeven"),
        (False, "Ik vind een oplossing als er iets misloopt"),
        (True, "Ik weet vaak niet hoe ik kan bijdragen"),
    ],
    "trust_government": [
        (False, "De overheid is te vertrouwen"),
        (False, "De overheid houdt zich aan haar beloften"),
        (False, "De overheid handelt in het belang van de burgers"),
    ],
    "trust_generalised": [
        (False, "De meeste mensen zijn te vertrouwen"),
        (True, "Je kunt niet voorzichtig genoeg zijn met mensen"),
        (False, "De meeste mensen proberen eerlijk te zijn"),
    ],
}
AGREE = ["Helemaal oneens", "Oneens", "Niet eens, niet oneens", "Eens", "Helemaal eens"]
LIKELY = [
    "Zeer onwaarschijnlijk",
    "Onwaarschijnlijk",
    "Niet waarschijnlijk, niet onwaarschijnlijk",
    "Waarschijnlijk",
    "Zeer waarschijnlijk",
]
LEAVING = ("no_consent", "breakoff_before_outcomes", "previews")  # rules by which a person leaves
GAPS = [1, 2, 3, 7, 8]  # the numbers that Qualtrics gave to the five answers of the experiment

METADATA: list[Question] = [
    ("StartDate", "Begindatum", "startDate"),
    ("EndDate", "Einddatum", "endDate"),
    ("Status", "Type antwoord", "status"),
    ("IPAddress", "IP-adres", "ipAddress"),
    ("Progress", "Voortgang", "progress"),
    ("Duration (in seconds)", "Duur (in seconden)", "duration"),
    ("Finished", "Voltooid", "finished"),
    ("RecordedDate", "Registratiedatum", "recordedDate"),
    ("ResponseId", "Antwoord-ID", "_recordId"),
    ("DistributionChannel", "Distributiekanaal", "distributionChannel"),
    ("UserLanguage", "Taal van de gebruiker", "userLanguage"),
]


def write_survey(world: dict, rng: np.random.Generator, path: Path) -> None:
    """Simulate the survey and write its choice-text export to `path`."""
    n = people(world)
    z = correlated(rng, n, exchangeable(len(TRAITS), world["true_trait_correlation"]))
    columns: dict[str, list] = {
        "QID1": ["Ja, ik neem deel"] * n,
        "QID2": pick(rng, n, ["Vrouw", "Man", "Anders", "Zeg ik liever niet"], [50, 46, 2, 2]),
        "QID3": pick(
            rng,
            n,
            ["18-29 jaar", "30-44 jaar", "45-59 jaar", "60 jaar of ouder"],
            [28, 37, 23, 12],
        ),
        "QID4_TEXT": [f"{years:.1f}".replace(".", ",") for years in rng.gamma(2, 1.2, n) + 0.1],
    }
    questions: list[Question] = [
        ("Q1", "Neemt u deel aan dit onderzoek?", "QID1"),
        ("Q2", "Wat is uw geslacht?", "QID2"),
        ("Q3", "Hoe oud bent u?", "QID3"),
        ("Q4", "Hoeveel jaar bent u al bij het initiatief betrokken?", "QID4_TEXT"),
    ]
    loading = world["true_item_loading"]
    for block, items in enumerate(TRAITS.values()):
        for k, (reverse, text) in enumerate(items, start=1):
            name = f"QID{5 + block}_{k}"
            latent = loading * z[:, block] + np.sqrt(1 - loading**2) * rng.standard_normal(n)
            ticked = answers(latent, 3.2, 1, 5, reverse)
            columns[name] = as_given(world, rng, ticked, AGREE, "Weet niet", "")
            questions.append((f"Q{5 + block}_{k}", f"In hoeverre bent u het eens? - {text}", name))
    for block, conflict in enumerate(CONFLICTS, start=9):
        effects = world["true_effect_trait"].get(conflict, {})
        shift = {
            strategy: sum(
                effects.get(trait, {}).get(strategy, 0.0) * z[:, i]
                for i, trait in enumerate(TRAITS)
            )
            for strategy in STRATEGIES
        }
        for k, ticked in enumerate(ratings(world, rng, n, shift), start=1):
            columns[f"QID{block}_{k}"] = as_given(world, rng, ticked, LIKELY, "Weet niet", "")
        questions += rating_questions(conflict, f"QID{block}")
    questions += [
        ("Q11", "Wilt u nog iets kwijt?", "QID11_TEXT"),
        ("token", "token", "token"),
    ]
    columns["QID11_TEXT"] = pick(rng, n, ["", "Geen opmerkingen, vultekst"], [9, 1])
    questions[-2:-2] = [("Q12", "Kies hier het antwoord 'Eens'", "QID12")]
    questions.append(("gewicht", "gewicht", "gewicht"))

    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    words = {"status": ("IP Address", "Survey Preview"), "finished": ("True", "False")}
    rows = blemish(world, rng, rows, words, no="Nee", token="token", first="QID9_1", last="QID10_1")
    # Random numbers of their own: what was asked later leaves the answers as they were.
    care(world, rng.spawn(1)[0], rows, before="QID9_1")
    weigh(world, rows)
    write_qualtrics(path, METADATA + questions, rows)


def write_experiment(world: dict, rng: np.random.Generator, path: Path) -> None:
    """Simulate the experiment and write its numeric export to `path`."""
    n = people(world)
    # The arms are drawn within those who stay, so that the design is balanced as it was planned.
    arms = [(efficacy, trust) for efficacy in ("laag", "hoog") for trust in ("laag", "hoog")]
    kept = balanced(rng, [0, 1, 2, 3], world["analysable"])
    arm = np.concatenate([kept, rng.integers(0, 4, n - len(kept))])
    drawn = {
        "external_efficacy": [arms[a][0] for a in arm],
        "trust_public_servants": [arms[a][1] for a in arm],
    }
    shift = {
        strategy: sum(
            world["true_effect_factor"][factor].get(strategy, 0.0)
            * np.array([level == "hoog" for level in levels])
            for factor, levels in drawn.items()
        )
        for strategy in STRATEGIES
    }
    columns: dict[str, list] = {
        "QID1": [1] * n,
        "QID2": pick(rng, n, [1, 2, 3, 4, -99], [46, 49, 2, 2, 1]),
        "QID3": pick(rng, n, [1, 2, 3, 4], [30, 38, 22, 10]),
        "conditie_efficacy": drawn["external_efficacy"],
        "conditie_vertrouwen": drawn["trust_public_servants"],
    }
    for k, ticked in enumerate(ratings(world, rng, n, shift), start=1):
        columns[f"QID6_{k}"] = as_given(world, rng, ticked, GAPS, 99, -99)
    columns["QID7"] = pick(rng, n, [4, 2], [95, 5])
    # A manipulation check: the arms were read, whatever they then do to coping.
    for name, levels in zip(("QID8_1", "QID8_2"), drawn.values(), strict=True):
        read = np.array([level == "hoog" for level in levels])
        columns[name] = [int(tick) for tick in answers(rng.standard_normal(n) + read, 3, 1, 7)]
    columns["QID9_TEXT"] = pick(rng, n, ["", "Geen opmerkingen, vultekst"], [9, 1])
    for k, (efficacy, trust) in enumerate(arms, start=1):
        columns[f"FL_9_DO_V{k}"] = [1 if arms[a] == (efficacy, trust) else "" for a in arm]
    questions: list[Question] = [
        ("Q1", "Neemt u deel aan dit onderzoek?", "QID1"),
        ("Q2", "Wat is uw geslacht?", "QID2"),
        ("Q3", "Hoe oud bent u?", "QID3"),
        *rating_questions("user_vs_collective_value", "QID6"),
        ("Q7", "Kies hier het antwoord 'Eens'", "QID7"),
        ("Q8_1", "Manipulatiecheck - De stad luistert naar gebruikers", "QID8_1"),
        ("Q8_2", "Manipulatiecheck - De ambtenaar is te vertrouwen", "QID8_2"),
        ("Q9", "Wilt u nog iets kwijt?", "QID9_TEXT"),
        ("conditie_efficacy", "conditie_efficacy", "conditie_efficacy"),
        ("conditie_vertrouwen", "conditie_vertrouwen", "conditie_vertrouwen"),
        ("panelid", "panelid", "panelid"),
        *(
            (f"FL_9_DO_V{k}", f"Randomizer - Display Order - V{k}", f"FL_9_DO_V{k}")
            for k in (1, 2, 3, 4)
        ),
    ]
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    words = {"status": (0, 1), "finished": (1, 0)}
    rows = blemish(world, rng, rows, words, no=2, token="panelid", first="QID6_1", last="QID6_1")
    write_qualtrics(path, METADATA + questions, rows, encoding="utf-8-sig")


def care(world: dict, rng: np.random.Generator, rows: list[Row], before: str) -> None:
    """Add the attention check, which is before the first outcome, and let some hurry.

    A response that is in the file twice is the same both times.
    """
    found = {row["_recordId"]: row for row in rows if before in row}
    hurried = set(rng.permutation(list(found))[: world["too_fast"]].tolist())
    for name, row in found.items():
        failed = rng.random() < world["attention_failed"]
        row["QID12"] = AGREE[int(rng.integers(0, 3))] if failed else AGREE[3]
        if name in hurried:
            seconds = int(rng.integers(60, 150))
            end = str(datetime.fromisoformat(str(row["startDate"])) + timedelta(seconds=seconds))
            row.update(duration=seconds, endDate=end, recordedDate=end)
    for row in rows:
        row.update(found.get(row["_recordId"], row))


def weigh(world: dict, rows: list[Row]) -> None:
    """Add a post-stratification weight: share in the population over share in the sample.

    Age and gender are weighted one after the other and multiplied, with a mean of one; who gave
    neither man nor woman keeps the weight of the age. Nobody without an age has a weight.
    """
    answered = [row for row in rows if row.get("QID3")]
    weights = np.ones(len(answered))
    for name, key in (("QID3", "age"), ("QID2", "gender")):
        given = [str(row[name]) for row in answered]
        target = world["population"][key]
        sample = {level: given.count(level) for level in target}
        n = sum(sample.values())
        weights *= [target[g] * n / sample[g] if g in target else 1.0 for g in given]
    for row, weight in zip(answered, weights / weights.mean(), strict=True):
        row["gewicht"] = f"{weight:.4f}".replace(".", ",")


def ratings(
    world: dict, rng: np.random.Generator, n: int, shift: dict[str, np.ndarray | float]
) -> list[np.ndarray]:
    """Rate the strategies from 1 to 5: own level, the shift by the exposures, and the person."""
    noise = correlated(rng, n, exchangeable(len(STRATEGIES), world["true_rating_correlation"]))
    return [
        answers(noise[:, i] + shift[name], world["true_level"][name], 1, 5)
        for i, name in enumerate(STRATEGIES)
    ]


def rating_questions(conflict: str, question: str) -> list[Question]:
    """The columns of a matrix question: the stem, which runs over two lines, and a statement."""
    stake, value = CONFLICTS[conflict]
    stem = f"{stake}: een conflict in uw initiatief.\nHoe waarschijnlijk is het dat u dit doet?"
    return [
        (
            f"{question.replace('QID', 'Q')}_{k}",
            f"{stem} - {text.format(value=value)}",
            f"{question}_{k}",
        )
        for k, text in enumerate(STRATEGIES.values(), start=1)
    ]


def exchangeable(k: int, correlation: float) -> np.ndarray:
    """A k x k correlation matrix with one correlation."""
    return np.full((k, k), correlation) + (1 - correlation) * np.eye(k)


def pick(rng: np.random.Generator, n: int, options: list, weights: list[float]) -> list:
    """Choose n times among options, with weights that need not add up to one."""
    chosen = rng.choice(len(options), n, p=np.array(weights) / sum(weights))
    return [options[i] for i in chosen]


def as_given(
    world: dict,
    rng: np.random.Generator,
    ticked: np.ndarray,
    words: list,
    dont_know: object,
    blank: object,
) -> list:
    """Write the ticks 1 to 5 as the export does, some of them as no answer."""
    given = [words[int(tick) - 1] for tick in ticked]
    lapse = lapses(rng, len(given), [world["dont_know"], world["left_blank"]])
    return [(word, dont_know, blank)[kind] for word, kind in zip(given, lapse, strict=True)]


def people(world: dict) -> int:
    """How many persons answer: those who stay, then those who leave by one of the rules."""
    return world["analysable"] + sum(world[why] for why in LEAVING)


def blemish(
    world: dict,
    rng: np.random.Generator,
    rows: list[Row],
    words: dict[str, tuple],
    no: object,
    token: str,
    first: str,
    last: str,
) -> list[Row]:
    """Make clean answers into an export: who left early, who came twice, previews, duplicates.

    `first` is the first outcome, before which some break off, and `last` the first one of the last
    conflict; `words` are the export's words for (usual, other) status and finished.
    """
    rows = [metadata(rng, words) | {token: code(rng, 10)} | row for row in rows]
    ends = np.cumsum([world[why] for why in ("analysable", *LEAVING[:-1])])
    stay, refuse, leave, preview = (
        [rows[i] for i in part] for part in np.split(np.arange(len(rows)), ends)
    )

    def stop(row: Row, before: str, progress: int) -> Row:
        names = list(row)
        reached = {name: row[name] for name in names[: names.index(before)]}
        return reached | {"progress": progress, "finished": words["finished"][1]}

    refuse = [
        stop(row, "QID2", 100) | {"QID1": no, "finished": words["finished"][0]} for row in refuse
    ]
    leave = [stop(row, first, 45) for row in leave]
    preview = [
        {name: value for name, value in row.items() if name != token}
        | {"status": words["status"][1], "distributionChannel": "preview"}
        for row in preview
    ]

    outcomes = [name for name in rows[0] if name.split("_")[0] in {first[:-2], last[:-2]}]
    complete = [
        i
        for i, row in enumerate(stay)
        if not {row[x] for x in outcomes} & {"", "Weet niet", 99, -99}
    ]
    chosen = rng.permutation(complete)
    again, twice, halfway = np.split(
        chosen, np.cumsum([world["repeated_persons"], world["duplicated_responses"]])
    )
    repeats = [
        repeat(stay[i], rng, earlier=k % 2 == 0, stop=lambda row: stop(row, first, 45))
        for k, i in enumerate(again)
    ]
    copies = [dict(stay[i]) for i in twice]
    for i in halfway[: world.get("breakoff_between_conflicts", 0)]:
        stay[i] = stop(stay[i], last, 70)

    recorded = sorted(
        stay + refuse + leave + preview + repeats, key=lambda row: str(row["startDate"])
    )
    return recorded + copies  # two exports were put together, so the copies stand at the end


def repeat(row: Row, rng: np.random.Generator, earlier: bool, stop: Callable[[Row], Row]) -> Row:
    """The same person once more: an attempt broken off before, or all of it again afterwards."""
    away = timedelta(days=-2 if earlier else 2)
    times = {
        name: str(datetime.fromisoformat(str(row[name])) + away)
        for name in ("startDate", "endDate", "recordedDate")
    }
    other = row | times | {"_recordId": f"R_{code(rng, 15)}"}
    return stop(other) if earlier else other


# The exports give local times without a zone.
FIRST_DAY = datetime(2020, 3, 2, 8)  # noqa: DTZ001


def metadata(rng: np.random.Generator, words: dict[str, tuple]) -> Row:
    """What Qualtrics records by itself; the addresses are reserved for documentation."""
    start = FIRST_DAY + timedelta(seconds=int(rng.integers(0, 40 * 86400)))
    seconds = int(rng.gamma(6, 90)) + 60
    end = str(start + timedelta(seconds=seconds))
    return {
        "startDate": str(start),
        "endDate": end,
        "status": words["status"][0],
        "ipAddress": f"192.0.2.{rng.integers(1, 255)}",
        "progress": 100,
        "duration": seconds,
        "finished": words["finished"][0],
        "recordedDate": end,
        "_recordId": f"R_{code(rng, 15)}",
        "distributionChannel": "anonymous",
        "userLanguage": "NL",
    }


def code(rng: np.random.Generator, length: int) -> str:
    """A random string of letters and digits."""
    return "".join(rng.choice(list(string.ascii_letters + string.digits), length))
