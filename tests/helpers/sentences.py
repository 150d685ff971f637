"""Generated sentences read again: what one says against the numbers that are in it."""

from __future__ import annotations

import re

NUMBERS = r"\((?:log-odds )?(−?[\d.]+)(?: SD)?, 95% interval (−?[\d.]+) to (−?[\d.]+)[);]"


def value(text: str) -> float:
    """A number as the article writes it, with the sign for minus."""
    return float(text.replace("−", "-"))


def contradictions(sentence: str) -> list[str]:
    """What a sentence says against the numbers that are in it."""
    found = []
    verbs = {
        "higher": r"raises|goes with (?:a )?higher|is higher (?:on|with)|^higher (?:on|with)",
        "lower": r"lowers|goes with (?:a )?lower|is lower (?:on|with)|^lower (?:on|with)",
        "too_small": r"too small to matter",
        "holds_zero": r"holds? zero|largest difference is",
        "apart": r"differs? from the main analysis",
    }  # fmt: skip
    apart = (
        r"; (?!clear|size open|on the border)|(?<!zero)(?<!main analysis): "
        r"|(?<=\)) and (?=raises|lowers|goes|higher|lower)"
    )
    for clause in re.split(apart, sentence):
        numbers = [tuple(map(value, n)) for n in re.findall(NUMBERS, clause)]
        kinds = [kind for kind, verb in verbs.items() if re.search(verb, clause)]
        if numbers and len(kinds) != 1:
            found.append(f"numbers without one verdict: {clause}")
        for estimate, lower, upper in numbers:
            if not lower <= estimate <= upper:
                found.append(f"estimate outside its interval: {clause}")
            if kinds == ["higher"] and not lower > 0:
                found.append(f"said to be higher: {clause}")
            if kinds == ["lower"] and not upper < 0:
                found.append(f"said to be lower: {clause}")
            if kinds == ["too_small"] and not -0.18 <= estimate <= 0.18:
                found.append(f"said to be too small: {clause}")
            if kinds == ["holds_zero"] and not lower <= 0 <= upper:
                found.append(f"said to hold zero: {clause}")
            if kinds == ["apart"] and lower <= 0 <= upper:
                found.append(f"said to differ: {clause}")
        if not numbers and kinds and kinds[0] in ("higher", "lower"):
            found.append(f"a direction without numbers: {clause}")
    return found
