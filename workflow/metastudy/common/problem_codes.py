"""The codes of the problems that data files and codebooks may have, each in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["CODES"]

CODES: Mapping[str, str] = MappingProxyType(
    {
        # the codebook and the vocabulary
        "codebook": "The codebook is no YAML, lacks a key, has one that does not belong there, or "
        "contradicts itself.",
        "vocabulary": "An entry of the vocabulary is not whole, or names something that it lacks.",
        "provenance": "The flag `simulated` or `observed` and the manifest of simulated files "
        "disagree.",
        "pseudonyms": "The key of the pseudonyms is missing, too short, or lies in the repository.",
        "draft": "A codebook cannot be drafted: the study has no name, or has a codebook already.",
        "made-folder": "A folder that is to be made anew holds what was not made there, or was "
        "changed since.",
        "start": "A project of one's own cannot be started there: the folder is not empty, or none "
        "was named.",
        # the file
        "missing-file": "The file that is named is not there.",
        "outside": "A link in a study's folder leads out of it; only the folder as a whole may be "
        "a link.",
        "too-large": "The file is larger than any that the workflow reads.",
        "wrong-format": "The file is damaged, or of another format or form than the codebook says.",
        "encoding": "The bytes of the file are not in the encoding that is declared.",
        "hostile-archive": "An archive unpacks to far more than it should, or reaches outside its "
        "own folder, or its XML declares entities.",
        "parcel": "A parcel is of another version, was changed after it was made, is not of its "
        "study, or is not what its format says.",
        "request": "A request for parcels is damaged or of another version, or asks for what does "
        "not fit the owner's codebook.",
        "unknown-column": "The codebook mentions a raw variable that the file does not have.",
        # the rows
        "off-scale": "A number lies outside the declared bounds, or is no number, and is no "
        "missing code.",
        "unknown-label": "A raw value, code, coder or case is not among those that are listed.",
        "undeclared-missing": "The file declares a code as missing, and the codebook gives no "
        "reason for it.",
        "missing-id": "A row that stays has no id, or a coded segment lacks its case, its code or "
        "its coder.",
        "duplicate-id": "Two rows that stay have the same id.",
        "contradiction": "Two rows say different things of one source or arm, or a row says "
        "another family of an outcome than the vocabulary.",
        "free-text": "A text is where it could carry what a person wrote or who it was.",
        "incomplete-finding": "A published finding lacks what a finding needs.",
        "citation": "An entry of CITATION.cff that is passed on is of another type.",
        "report": "The report of a harmonized study is not there, or is not what the workflow "
        "wrote.",
        "table": "A harmonized table broke its own rules: a fault of the workflow, please report "
        "it.",
        # what only shows when the answers are summed up
        "constant-exposure": "An exposure does not vary between the respondents of a setting.",
        "constant-outcome": "An outcome does not vary within the settings of a study.",
        "no-event": "An outcome of a module of 0/1 outcomes is no single item of two values.",
        "several-answers": "A person has several answers to one 0/1 outcome.",
        "impossible-count": "A count of people or of events is no whole number or too small, or "
        "events are more than people.",
        "duplicate-arm": "Two rows are about the same arm of the same place.",
        "incomplete-arm": "A table of arms lacks the numbers of an arm, or the row of one of its "
        "outcomes.",
        "totals-row": "A row of a table of arms, or of published findings, sums up the others.",
        "unequal-total": "The arms of a place, or the answers of an arm, do not add up to the "
        "number of people that the table says.",
        "clustered-arms": "Arms of a design in clusters are neither given by cluster nor with "
        "intraclass correlation and cluster size, so they seem to say more than they do.",
        "impossible-arm": "Mean, standard deviation or correlations of an arm cannot be those of "
        "people's scores on the declared scale.",
        "no-category": "An answer that is to be counted lies between two categories of its item.",
        "empty-arm": "Nobody who answered an outcome is in one of the conditions.",
        "too-few-items": "People answered items of a scale, and nobody two thirds of them, so "
        "nobody has a score: often columns that are copies of one question.",
        "empty-interaction": "Nobody who answered an outcome is in a combination of conditions "
        "whose interaction is declared.",
        "aliased-interaction": "Other exposures of the study make up a declared interaction.",
        "aliased-term": "The configuration asks for a term that the design does not identify.",
        "two-forms": "A published effect is there in two forms, or in one that its design does "
        "not go with.",
        "impossible-effect": "The numbers of a published effect cannot be true, or not together.",
        "undeclared-conversion": "A published effect is in another metric than its numbers give, "
        "and no conversion is declared.",
        "mixed-metrics": "Published effects on the same estimand are in different metrics.",
        "standardiser": "What a published finding says of its standard deviation, or of its "
        "arms, cannot be true.",
        "zero-error": "A published effect has a standard error of zero.",
        "duplicate-effect": "A published effect is there twice.",
        "study-twice": "A publication is there twice: as data of its people, and as effects "
        "that would pool with them.",
        "appraisal": "The file of risk of bias and certainty has a word, publication or outcome "
        "that is not known, a domain twice, or two certainties of one publication.",
        "dependence": "How estimates of a publication hang together does not fit their errors, is "
        "not positive definite, or is said of a finding that is not there.",
        "crossed": "A declared grouping is neither in studies nor are studies in it.",
        "sign-against-direction": "The estimate of a published effect has another sign than the "
        "direction that is given beside it.",
        "no-unit": "Published effects are in a unit of their own, and no sample size says what a "
        "large effect is in it.",
        "selection-side": "The configuration declares a side of selection for something that no "
        "published finding is about.",
        "candidate": "A candidate study of the configuration names something that neither the "
        "vocabulary nor the studies have, has a name that a figure cannot show, or is one too "
        "many.",
        "one-cluster": "A design-based analysis needs respondents from two clusters at least.",
        "varying-exposure": "A condition differs between the vignettes of one respondent.",
        "varying-organisation": "An organisation has several values of what should be its own "
        "property.",
    }
)
