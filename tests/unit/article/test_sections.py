"""An article that grows: each section has what there is, and no heading is over nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

import pandas as pd
import pytest
from matplotlib.text import Text

from helpers.evidence import SETTINGS, evidence, published
from helpers.repository import ROOT
from metastudy.article import sections as section_module
from metastudy.article.abstract import FIRST, SECOND, summary
from metastudy.article.make import figure, variables
from metastudy.article.results import Results
from metastudy.article.section_captions import FIGURES, as_drawn
from metastudy.article.section_writer import Writer
from metastudy.article.sections import sections
from metastudy.article.variable_tree import flat
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.display.formatting import count

SKELETON = ROOT / "workflow" / "skeleton" / "manuscript" / "manuscript.qmd"


POOLING = {"pooling": {"standardisers": [], "correlation": 0.6}}


@cache
def everything() -> Results:
    found = evidence("mixed", studies=2)
    return replace(found, settings={**found.settings, **POOLING})


def findings_alone() -> Results:
    """A folder of published findings: no people, no module, nothing that was fitted to rows."""
    whole = everything()
    return Results(whole.vocabulary, published=(published(),), settings={**SETTINGS, **POOLING})


def one_study() -> Results:
    """Rows of one study: nothing published, nothing pooled."""
    found = evidence("mixed", studies=1)
    settings = {**found.settings, **POOLING}
    return replace(found, published=(), appraisal=pd.DataFrame(), settings=settings)


WORLDS = {"everything": everything, "findings alone": findings_alone, "one study": one_study}


@cache
def made(world: str) -> dict[str, str]:
    return sections(WORLDS[world]())


@pytest.mark.parametrize("world", WORLDS)
def test_no_heading_is_empty_and_every_reference_has_its_place(world: str) -> None:
    text = "\n".join(made(world).values())
    blocks = [block for block in text.split("\n\n") if block.strip()]
    for block, below in zip(blocks, [*blocks[1:], ""], strict=True):
        if block.startswith("#"):
            deeper = re.match(r"#+", below)
            assert below, block
            assert not deeper or len(deeper[0]) > len(block.split(" ")[0]), block
    places = re.findall(r"\{#((?:fig|tbl|sec|eq)-[\w-]+)", text)
    assert len(places) == len(set(places))
    assert set(re.findall(r"@((?:fig|tbl|sec|eq)-[\w-]+)", text)) <= set(places)
    figures_and_tables = {name for name in places if name.startswith(("fig", "tbl"))}
    assert figures_and_tables <= set(re.findall(r"@((?:fig|tbl)-[\w-]+)", text))


@pytest.mark.parametrize("world", WORLDS)
def test_every_variable_that_a_section_takes_is_there(world: str) -> None:
    found = WORLDS[world]()
    tree = variables(found, {})
    for path in re.findall(r"\{\{< var (\S+) >\}\}", "\n".join(made(world).values())):
        value = tree
        for key in path.split("."):
            assert key in value, path
            value = value[key]
        assert isinstance(value, str), path


def test_findings_alone_have_no_word_on_people_and_models_of_rows() -> None:
    found = made("findings alone")
    assert found["results"] == ""
    assert "tbl-findings" in found["data"]
    assert "tbl-studies" not in found["data"]
    assert "sec-answers" not in found["models"]
    assert "sec-codings" not in found["models"]


def test_each_module_has_its_own_results_under_its_own_name() -> None:
    whole = everything()
    found = made("everything")["results"]
    headings = re.findall(r"^### (.+) \{#", found, re.M)
    assert headings == [whole.vocabulary.label("modules", m) for m in whole.contrasts]


def test_each_module_has_its_figures_and_tables_below_its_sentences() -> None:
    _, *parts = re.split(r"^### .+ \{#sec-([\w-]+)\}$", made("everything")["results"], flags=re.M)
    found = dict(zip(parts[::2], parts[1::2], strict=True))
    assert list(found) == list(everything().contrasts)
    for module, text in found.items():
        assert f"{{#tbl-effects-{module}" in text
        assert f"(figures/module_{module})" in text


def captions(world: str) -> dict[str, tuple[str, str]]:
    """Caption and alternative text of each figure, with the variables filled in."""
    tree = flat(variables(WORLDS[world](), {}))
    filled = re.sub(
        r"\{\{< var (\S+) >\}\}", lambda found: tree[found[1]], "\n".join(made(world).values())
    )
    found = re.findall(r'^!\[(.*)\]\(figures/(\w+)\)\{#fig-\S+ fig-alt="(.*)" width', filled, re.M)
    return {name: (said, alt) for said, name, alt in found}


@pytest.mark.parametrize("world", WORLDS)
def test_every_caption_asks_and_answers_in_numbers_and_the_alternative_text_reads_them(
    world: str,
) -> None:
    found = captions(world)
    assert found
    for name, (said, alt) in found.items():
        if name == "selection":
            continue  # its own topic writes it
        question, _, answer = said.partition("?")
        assert question, name
        assert "{" not in said + alt, name
        numbers = r"\d|\b(one|two|three|four|five|six|seven|eight|nine|ten|none|no)\b"
        assert re.search(numbers, answer, re.I), (name, said)
        assert re.search(numbers, alt, re.I), (name, alt)
        if WORLDS[world]().studies:
            assert said.endswith("imulated data."), name
            assert alt.endswith("imulated data."), name


def test_the_captions_say_what_a_count_over_the_results_says() -> None:
    found = everything()
    said = {name: caption for name, (caption, _) in captions("everything").items()}
    kept = sum(study.report["rows_kept"] for study in found.studies)
    assert f" {kept} respondents" in said["study_grid"]
    for module, table in found.contrasts.items():
        level = "code" if found.model(module) == "codings" else "population"
        own = table.query("variant == 'main' and estimand == 'effect' and level == @level")
        own = own[own["metric"] == ("log_odds" if level == "code" else "sd")]
        decided = int((own["positive"].sub(0.5).abs() >= 0.475).sum())
        small = own["rope"].ge(0.95) & ~own["above"].ge(0.975) & ~own["below"].ge(0.975)
        decided -= int((own["positive"].sub(0.5).abs().ge(0.475) & small).sum())
        most = own.loc[own["mean"].abs().idxmax()]
        text = said[f"module_{module}"]
        assert f"Of {count(len(own))} effects {count(decided) if decided else 'none'} ha" in text
        assert f"{most['mean']:.2f}".replace("-", "−") in text
    pooled = found.synthesis["pooled"].query("level == 'population'")
    for mean in pooled["mean"].head(3):
        assert f"{mean:.2f}".replace("-", "−") in said["synthesis"]


def test_a_citation_without_an_entry_is_shown_as_its_key_and_said_to_lack_one() -> None:
    keys = set(published().effects["citation"])
    known = sections(findings_alone(), keys)
    assert all(f"@{key}" in known["data"] for key in keys)
    assert not any(f"`{key}`" in known["limitations"] for key in keys)
    unknown = made("findings alone")
    assert not re.search(r"(?<!\\)@(?!fig|tbl|sec|eq)\w", "\n".join(unknown.values()))
    assert all(f"`{key}`" in unknown["limitations"] for key in keys)


def test_the_abstract_says_what_there_is_and_names_what_was_decided() -> None:
    found = everything()
    said = summary(found, variables(found, {}))
    assert said.startswith("We bring together ")
    assert "one publication" in said
    alone = findings_alone()
    said = summary(alone, variables(alone, {}))
    assert "respondents" not in said
    assert "findings of" in said


def test_the_abstract_names_the_two_stages_before_their_verdicts() -> None:
    whole = everything()
    said = summary(whole, variables(whole, {}))
    first, second = said.index(FIRST), said.index(SECOND)
    decided = said.index("a decided sign")
    assert first < decided < second < said.index("reported by two")
    for alone in (findings_alone(), one_study()):
        assert "stage" not in summary(alone, variables(alone, {}))


def test_sentences_of_a_model_are_in_the_article_that_has_the_model() -> None:
    assert made("findings alone")["models"] == "", "nothing was pooled, and nothing sampled"
    alone = one_study()
    assert "sec-second-stage" not in made("one study")["models"]
    assert "sec-sampling" in made("one study")["models"]
    (name, table), *_ = alone.contrasts.items()
    shared = "share causes with what they are related to"
    for kind in ("measured", "randomised"):
        only = {name: table.assign(exposure_type=kind)}
        text = sections(replace(alone, contrasts=only))["limitations"]
        assert (shared in text) == (kind == "measured")


def test_the_patterns_of_outcomes_are_in_the_article_where_some_have_them() -> None:
    alone = one_study()
    name = next(iter(alone.contrasts))
    modules = alone.vocabulary.sections["modules"]
    of_events = {**modules, name: {**modules[name], "model": "events"}}
    vocabulary = Vocabulary({**alone.vocabulary.sections, "modules": of_events})
    for joint in (True, False):
        cells = {name: replace(next(iter(alone.cells.values())), joint=joint)}
        write = Writer(replace(alone, vocabulary=vocabulary, cells=cells), ())
        text = section_module._models(write)
        assert "{#eq-events" in text
        assert ("{#eq-patterns" in text) == joint


def test_the_skeleton_includes_every_section_and_no_paper_of_anybody() -> None:
    text = SKELETON.read_text("utf-8")
    included = re.findall(r"tables/_part-(\w+)\.md", text)
    assert included == list(made("findings alone"))
    names = {*variables(everything(), {}), "article", "build", "diagnostics", "provenance"}
    used = {path.split(".")[0] for path in re.findall(r"\{\{< var (\S+) >\}\}", text)}
    modules = set(everything().contrasts)
    assert used <= names - modules


def test_figures_of_people_say_so_where_there_are_none() -> None:
    for name in ("study_grid", "participant_flow"):
        table, draw = figure(findings_alone(), name)
        assert table.empty
        texts = [text.get_text() for text in draw(table).findobj(Text)]
        assert "There are no studies with data of people." in texts


def test_a_contrast_that_the_vocabulary_lacks_is_no_measured_trait() -> None:
    labels = everything().labels
    own = labels.exposure("Programme against none_randomised", "randomised")
    assert own.label == "Programme against none"
    assert own.change == "programme against none"
    trait = labels.exposure("external_efficacy_measured", "measured")
    assert trait.change == "one standard deviation more of external efficacy"


def test_captions_say_how_the_grid_is_drawn_and_of_means_only_where_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = everything()
    assert "A row is a study in one country and sector" in captions("everything")["study_grid"][0]
    long = found.studies[0]
    people = long.respondents
    sector = people["sector"].iloc[0]
    both = [people.assign(country=country, sector=sector) for country in ("DK", "FI")]
    placed = replace(
        found, studies=(long.with_tables(respondents=pd.concat(both)), *found.studies[1:])
    )
    monkeypatch.setattr("metastudy.article.topics.studies.MOST_LINES", 1)
    assert "A row is a study in one sector" in Writer(placed, ()).figure("study_grid")[1]
    marks = FIGURES["tiles"].marks
    levels, none = pd.DataFrame({"part": ["level", "effect"]}), pd.DataFrame({"part": ["effect"]})
    assert as_drawn(marks, levels).startswith("Above: means of the outcomes. Below: the colour")
    assert as_drawn(marks, none).startswith("The colour is")
