"""Validate an RO-Crate without the network, in an environment that has the validator alone.

    python tests/crate/validate.py CRATE CONTEXT PROFILE

Prints a line for each check of the severity `required` that the crate fails, and ends with 1 then.
The validator asks for the context of RO-Crate over the network; here it gets the file CONTEXT, that
of the library which made the crate. Whatever else it asks for is an error.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import requests
from rocrate_validator import services
from rocrate_validator.models import Severity, ValidationSettings
from rocrate_validator.utils.http import HttpRequester

CONTEXTS = ("https://w3id.org/ro/crate/1.1/context",)


class OneFile:
    """Stands where the validator's connection is: knows the context, and nothing else."""

    def __init__(self, context: Path) -> None:
        # That of 1.3 has Bioschemas' terms at an address of their own, which 1.1 had not.
        self._text = context.read_bytes().replace(
            b"https://bioschemas.org/terms/", b"https://bioschemas.org/"
        )

    def get(self, url: str, **_: Any) -> requests.Response:
        """Answer with the context, or fail as without a network."""
        if url.removesuffix("/") not in CONTEXTS:
            raise requests.ConnectionError(f"{url} was asked for")
        answer = requests.Response()
        answer.status_code, answer.url = 200, url
        answer.headers["Content-Type"] = "application/ld+json"
        answer._content = self._text
        return answer

    head = get


def main() -> int:
    """Entry point; 0 if every required check passes."""
    crate, context, profile = sys.argv[1:]
    settings = ValidationSettings(
        rocrate_uri=crate,
        profile_identifier=profile,
        requirement_severity=Severity.REQUIRED,
        no_cache=True,
    )
    HttpRequester().session = OneFile(Path(context))
    found = services.validate(settings)
    for issue in found.get_issues():
        print(f"{issue.check.identifier}: {issue.message}")
    print(f"{len(found.executed_checks)} checks of {profile}")
    return int(found.has_issues())


if __name__ == "__main__":
    sys.exit(main())
