"""The reference of the codebook, from its schema, the vocabulary and the codes of errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from metastudy.codebook.checks.shape import SCHEMA
from metastudy.codebook.vocabulary import SECTIONS
from metastudy.common.problem_codes import CODES
from metastudy.common.yaml_document import read_yaml

__all__ = ["page"]

EXAMPLE = SCHEMA.with_name("codebook.example.yaml")
__resources__ = ("../../schemas/codebook.schema.yaml", "../../schemas/codebook.example.yaml")
_HEAD = """\
<!-- Generated from workflow/schemas/codebook.schema.yaml; a test compares them. To change this
page, change the schema and run: python tools/codebook_reference.py --out docs/codebook.md -->

# The codebook of a study

A study is a folder `data/raw/<study>/` with a data file as it came, a `codebook.yaml` that says
what the file holds, and a `README.md` that says where it is from. Nothing else is needed, and no
code. A codebook only declares: nothing in it is computed or run. Names of constructs, factors,
codes, countries and so on come from `config/vocabulary.yaml`, or from the codebook's own section
`vocabulary`. This page lists every key.

**To start**, let the workflow draft one: `snakemake codebook --config study=NAME file=PATH` lists
the columns of the file with their labels and ranges. What it guesses it marks as a guess, and
what only a person can decide it leaves as `TODO`. `snakemake check` then says what is wrong, each
with its line.

**In an editor** that knows the YAML language server (VS Code with the YAML extension, Neovim,
Emacs, JetBrains), this first line of a codebook gives completion, descriptions and errors while
you type:

```yaml
# yaml-language-server: $schema=../../../workflow/schemas/codebook.schema.yaml
```

**What happens to a file**, in this order:

1. Rows leave: those without consent, then by each rule under `exclude`. Every row that leaves is
   counted with its rule. What is wrong in a row that leaves does no harm.
2. Every raw value gets its meaning: a number on its declared scale, a level, a mapped value, or a
   missing value with its reason. Anything else is an error; nothing is corrected and nothing is
   guessed. A raw value is compared as text: `1`, `1.0` and ` 1` are the same.
3. Items are aligned: an answer x to an item with `keying: reverse` counts as min + max - x, by
   the declared bounds. A construct's score is the mean of its items, each as per cent of its
   scale, where at least two thirds of them are answered.
4. Ids, sites, clusters and coders become pseudonyms. Free text, names, addresses and dates never
   leave the raw file: what is not a number or a listed value is not taken over.
5. Rules under `quality` mark rows and drop none.

All problems of a codebook are reported together, and so are all problems of a file's rows.

## An example

```yaml
{example}```

## Coded interviews

| the file | `file.format` | what tells a code |
|---|---|---|
| a REFI-QDA project | `qdpx` | the project's own codings; variables are those of its cases |
| a matrix, one row a source or a source and coder | `matrix` | the columns that `codes` lists |
| a list, one row a coded segment | `segments` | the variable that is `code` |

All give the same tables. A list is what programs export as retrieved segments, quotations,
excerpts or a coding summary; `snakemake codebook` knows their headings. It may be delimited text
or Excel:

```yaml
study: {{design: interviews}} # and the other keys
file: {{name: segments.xlsx, format: segments, cases: documents.xlsx}}
variables:
  - {{name: Document name, as: id}} # in both files
  - {{name: Code, as: code}} # Strain > Not sure, or with separator: ";" several in a cell
  - {{name: Modified by, as: coder}} # of the segments; may be left out
  - {{name: Beginning, as: start}}
  - {{name: End, as: end}}
  - {{name: Segment, as: ignore, note: Words of a person.}}
  - {{name: Coders, as: coders}} # of the cases: all who read one
  - {{name: Town, as: site}} # of the cases
codes: {{Not sure: doubt}} # a code of the vocabulary
```

- Several segments of a code in a case say once that it was applied. With `start`, segments are
  told apart, and rows that repeat one are counted in the report; without it all are at the same
  place, as in a matrix.
- A list has no row for a document without a segment. Where `file.cases` names a file with a row
  for each case, it is a case without a code, and what belongs to a case is taken from that file.
  Otherwise it is not in the study, and the report says so. With several coders, `coders` says
  who read a case without a segment. A row with a code that is mapped to `ignore` says it too.
- A code of the codebook that no segment has counts as never applied, and the report names it. A
  code that the codebook does not list is an error; it is spelt only where it is near to one that
  is known, for it may be a person's words.
- Two documents of one name are one case: rename them before the export where groups have the
  same names.
- The text of a segment is not read.
"""
_MIDDLE = """
## Outcomes that are 0 or 1

An outcome that a person has or has not is counted where its module says `model: events` in the
vocabulary. It is one item of two values, with `min: 0` and `max: 1`. In a module of `answers` the
same item is a score of 0 or 100 per cent.

```yaml
vocabulary:
  modules: {helping: {label: Helping, model: events, question: 'Does a letter make people help?'}}
variables:
  - {name: came, as: item, construct: volunteered, min: 0, max: 1}
```

A row can also be an arm, of which only counts are known: how many people, and how many of them have
the outcome. It is written out as so many people, and gives the same cells as their rows. The page
[arms.md](arms.md) has the shapes that such a table may have, and [rows.md](rows.md) is about rows:

```yaml
variables:
  - {name: arm_no, as: id} # a row of the table
  - {name: letter, as: factor, randomised: true, factors: {letter: {0: none, 1: letter}}}
  - {name: town, as: site} # where the counts are by site
  - {name: came, as: events, construct: volunteered}
  - {name: asked, as: people}
```

- Effects are log-odds ratios; differences of shares are beside them, standardised over the people
  of each setting. Where studies of a module have sites, every log-odds ratio is within a site, and
  counts without sites are taken as an average over such sites; where none has, all are of people
  of all sites together. The article says which.
- Of up to six outcomes of one person the pattern is counted: which of them come together. Each
  outcome by itself has the same likelihood as if it were the only one, in which the log-odds ratio
  that is most likely does not depend on the others; what its posterior has from them is the pull
  of their priors, which vanishes with the number of people. Effects on outcomes of one family are
  compared, and the interval of the difference rests on how the outcomes hang together: a log-odds
  ratio of each two given the others, each setting's own (`priors.association`). The cost does not
  depend on the number of people.
- Of more than six outcomes of one person each is modelled by itself, and no difference between
  effects on two of them is made; the article names them. Of counts by arm it is not known which
  come together, so several outcomes of such a study are modelled like this too, and so is their
  whole module.
- Arms of a design in clusters have to be given by cluster, with the cluster as `site`: otherwise
  their counts seem to say more than they do. `clustered: true` under `study`, or a variable that is
  `cluster`, says that people came in clusters; without a `site` the study is then refused. What is
  published of such counts can enter as an effect with its ICC ([published
  effects](published_effects.md)).

## Arms with means

Where only means and standard deviations of arms are known, a row is an arm, in a module of
`answers`; [arms.md](arms.md) has the other shapes: arms side by side, a row an outcome, a table in
a README, counts of answers. Their number, mean and SD give the same sums and cross-products as the
scores of their people, so the arms enter the model with the same likelihood:

```yaml
study: {clustered: false} # beside the other keys of the study
variables:
  - {name: arm_no, as: id}
  - {name: letter, as: factor, randomised: true, factors: {letter: {0: none, 1: letter}}}
  - {name: town, as: site} # where arms are given by site
  - {name: n, as: people}
  - {name: m_trust, as: mean, construct: trust, min: 1, max: 7}
  - {name: sd_trust, as: sd, construct: trust}
  - {name: m_help, as: mean, construct: helping, min: 1, max: 7}
  - {name: sd_help, as: sd, construct: helping}
  - {name: r, as: correlation, constructs: [trust, helping]} # within the arm
```

- Arms are what rows are where the study has no sites, or arms are given by site; and where the
  numbers are not rounded. The data report says by how much rounding may have moved a difference
  of two arms: by (2 h + |d| g) / (s - g) standard deviations at most, for a difference d, means
  that are off by h and SDs s that are off by g. A column is taken as rounded where its number with
  the most decimals ends. An SD that no scores on the scale can have is refused, and so is one of 0.
- Correlations are of all pairs of outcomes or of none, within each arm. Without them every outcome
  is modelled by itself in the whole module: none is pooled with another, and no difference between
  effects on two of them is made, as the same people counted twice would pass for others. In the
  second stage their estimates are then taken as uncorrelated, as those of published findings are.
- The configuration can assume a correlation where none is given: with
  `pooling: {correlation_of_arms: 0.6}` it is that of two outcomes of one family, with the other
  sign where the vocabulary gives them opposite signs (`family_sign`). Effects on them are then
  compared. The article says that the correlation is assumed, the refits include one at 0.3 and
  one at 0.9, which share the compiled model, and the table of differences has a column for each.
  Outcomes of different families stay apart, as nothing says the sign of their correlation, and
  their effects are not compared.
- All people of an arm are in all of its outcomes, and none is about a vignette. Exposures are
  factors. Where other numbers of people of an arm have another outcome, the two cannot be in one
  row, and a second row of the arm is refused: give that outcome as effects of a study with
  `design: published`, with what is known of their covariance under `dependence`.
- `clustered` says whether people were assigned or drawn in groups. Then either the arms are given
  by group, with the group as `site`, or `icc` and `cluster_size` of each arm say how much less they
  tell: the number of people is divided by the design effect 1 + (m - 1) ICC, for m people in a
  cluster, and mean and SD stay as they are (Kish 1965; Cochrane Handbook, section 23.1.4). So the
  variance of a mean is multiplied by it. The ICC is the largest of the outcomes'. Without either
  the study is refused.
- There are no rows of people: predictive checks, the comparison of ways of pooling, and analyses of
  single answers are without such a study and say so. No parcel is made of it.

## Kinds of variables

`as` says what a raw variable is for. Beside `name`, `as` and `note` a variable has the keys that
its kind needs, and may have those that go with it.

"""
_KEYS = """
## Every key

Where several keys are joined by a dot, the later is under the earlier; `[]` is an entry of a
list.
"""
_FIELDS = """\
### The fields of a finding

What a column of a table of published findings, or a constant, may be: the values of
`variables[].field` and the keys of `constants`. [published_effects.md](published_effects.md) has
the forms in which an effect can be entered."""
_VOCABULARY = """
The sections, and what an entry of each has:

| section | needs | may have |
|---|---|---|
"""
_ERRORS = """
## Error codes

Each problem is reported with its code, the file, the row as the file's own program numbers it, the
column, what was found, what was expected and how to fix it.

| code | what is wrong |
|---|---|
"""


def page() -> str:
    """Make the page.

    Returns
    -------
    Markdown: an introduction, an example, the kinds of variables, every key with meaning, type,
    default, what it goes with and an example, and the codes of the errors.
    """
    schema: Mapping[str, Any] = read_yaml(SCHEMA).data
    parts = [
        _HEAD.format(example=EXAMPLE.read_text("utf-8")),
        _MIDDLE,
        *_kinds(schema["properties"]["variables"]["items"]["properties"]),
        _KEYS,
        *_sections(schema),
        *_fields(schema["properties"]["variables"]["items"]["properties"]["field"]),
        _VOCABULARY,
        *_vocabulary(),
        _ERRORS,
        *(f"| `{code}` | {meaning} |\n" for code, meaning in CODES.items()),
    ]
    return "".join(parts)


def _kinds(entry: Mapping[str, Any]) -> Iterator[str]:
    yield "| `as` | for | needs | may have |\n|---|---|---|---|\n"
    kinds = entry["as"]
    for kind, meaning in zip(kinds["enum"], kinds["enumDescriptions"], strict=True):
        needed, allowed = (
            ", ".join(f"`{key}`" for key, of in entry.items() if kind in of.get(mark, ()))
            for mark in ("x-needed-with", "x-allowed-with")
        )
        yield f"| `{kind}` | {_cell(meaning)} | {needed} | {allowed} |\n"


def _sections(schema: Mapping[str, Any]) -> Iterator[str]:
    required = schema["required"]
    for name, section in schema["properties"].items():
        yield f"\n### `{name}`\n\n{section['description'].strip()}\n"
        inner = section.get("properties") or section.get("items", {}).get("properties")
        need = "Needed." if name in required else "May be left out."
        with_ = f" Goes with: {section['x-with']}." if "x-with" in section else ""
        yield f"\n{need}{with_}"
        if "examples" in section:
            yield f" Example:\n\n```yaml\n{_yaml({name: section['examples'][0]})}```\n"
        else:
            yield "\n"
        if inner:
            owner = section if "properties" in section else section["items"]
            prefix = name if "properties" in section else f"{name}[]"
            yield "\n| key | meaning | type | default | goes with | example |\n"
            yield "|---|---|---|---|---|---|\n"
            for key, of in inner.items():
                yield _row(prefix, key, of, key in owner.get("required", ()))


def _fields(of: Mapping[str, Any]) -> Iterator[str]:
    yield f"\n{_FIELDS}\n\n| `field` | what it says |\n|---|---|\n"
    for one, text in zip(of["enum"], of["enumDescriptions"], strict=True):
        yield f"| `{one}` | {_cell(text)} |\n"


def _vocabulary() -> Iterator[str]:
    for section, (required, optional) in SECTIONS.items():
        cells = (", ".join(f"`{key}`" for key in keys) for keys in (required, optional))
        yield f"| `{section}` | " + " | ".join(cells) + " |\n"


def _row(prefix: str, key: str, of: Mapping[str, Any], needed: bool) -> str:
    default = "needed" if needed else _code(of["default"]) if "default" in of else ""
    meaning = of["description"].strip()
    if long := key == "field":
        meaning += " They are listed below."
    elif "enumDescriptions" in of and key != "as":
        pairs = zip(of["enum"], of["enumDescriptions"], strict=True)
        meaning += "<br>" + "<br>".join(f"`{one}`: {text}" for one, text in pairs)
    kind = "one of a finding's fields" if long else _type(of)
    example = f"{key}: {_flow(of['examples'][0])}"
    cells = (f"`{prefix}.{key}`", meaning, kind, default, _with(of), f"`{example}`")
    return "| " + " | ".join(map(_cell, cells)) + " |\n"


def _with(of: Mapping[str, Any]) -> str:
    needed, allowed = of.get("x-needed-with", ()), of.get("x-allowed-with", ())
    words = [", ".join(f"`{kind}`" for kind in needed) + " (needed)"] if needed else []
    words += [", ".join(f"`{kind}`" for kind in allowed)] if allowed else []
    return ", ".join([*words, *([of["x-with"]] if "x-with" in of else [])])


def _type(of: Mapping[str, Any]) -> str:
    if "enum" in of:
        return "one of " + ", ".join(map(_code, of["enum"]))
    names = {"string": "text", "boolean": "true or false", "array": "list", "object": "mapping"}
    kinds = [of["type"]] if isinstance(of["type"], str) else of["type"]
    return " or ".join(names.get(kind, kind) for kind in kinds)


def _code(value: object) -> str:
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _plain(data: Any) -> Any:
    """Turn keys that are whole numbers back into numbers, as people write them."""
    if isinstance(data, Mapping):
        return {int(key) if key.isdigit() else key: _plain(of) for key, of in data.items()}
    return [_plain(one) for one in data] if isinstance(data, list) else data


def _flow(value: Any) -> str:
    """Spell one value as YAML on one line."""
    text: str = yaml.safe_dump(
        [_plain(value)], sort_keys=False, allow_unicode=True, width=10_000, default_flow_style=True
    )
    return text.strip().removeprefix("[").removesuffix("]")


def _yaml(data: Any) -> str:
    """Spell data as YAML in lines, inner lists and mappings on one line each."""
    text: str = yaml.safe_dump(
        _plain(data), sort_keys=False, allow_unicode=True, width=100, default_flow_style=None
    )
    return text
