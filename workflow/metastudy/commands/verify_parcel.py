"""Verify a parcel at its owner's: that it comes from the data file whose keyed checksum it has."""

from __future__ import annotations

import argparse
import hmac
import json
from pathlib import Path

from metastudy.commands._parcel import Made, made, options
from metastudy.commands._run import run
from metastudy.common.problems import MetastudyError
from metastudy.data_report.pages import write
from metastudy.parcels import request as requests
from metastudy.parcels.container import canonical, digest
from metastudy.parcels.parcel import SUFFIX as PARCEL
from metastudy.parcels.parcel import Parcel, read
from metastudy.record.certificate import SUFFIX, certificate_page, of_owner


def main() -> None:
    """Entry point of the rule ``verify_parcel``."""
    args = options(main.__doc__)
    path = args.out / f"{args.study}{PARCEL}"
    if args.study in args.studies and path.is_file():
        _same_request(path, args)
    again = made(args)
    if not again.path.is_file():
        raise MetastudyError(
            f"there is no {again.path} to verify: put the parcel that you sent there, or make one "
            f"with `snakemake parcel --config study={again.study.id}`"
        )
    parcel = read(again.path, again.study.id)
    same_code = all(parcel.manifest[name] == again.manifest[name] for name in ("code", "lock"))
    _agrees(parcel, again, same_code)
    found = of_owner(parcel, again.path, same_code)
    out = Path(args.out)
    text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    (out / f"{parcel.id}{SUFFIX}").write_text(text, "utf-8")
    write([certificate_page(found, [again.study.provenance])], out)
    print(
        f"{again.path} comes from the data file of {parcel.id}: {out / parcel.id}{SUFFIX} says so"
    )


def _same_request(path: Path, args: argparse.Namespace) -> None:
    """Check that a parcel was made for the request that is given, or for none as well."""
    made_for = read(path, args.study).request
    given = requests.read(Path(args.request)).digest if args.request else None
    if (made_for or {}).get("digest") != given:
        was = f"the request {made_for['digest'][:12]}" if made_for else "no request"
        fix = "give its file with `request=FILE`" if made_for else "leave `request=` out"
        raise MetastudyError(
            f"{path} was made for {was}, and not for "
            f"{f'the request {given[:12]}' if given else 'none'}: {fix}, or make the parcel again"
        )


def _agrees(parcel: Parcel, again: Made, same_code: bool) -> None:
    """Check checksums and documents against those that are made again."""
    checksum = parcel.manifest["checksum"]
    for part, name in (("data", "the data file"), ("codebook", "the codebook")):
        if not hmac.compare_digest(checksum[part], again.manifest["checksum"][part]):
            raise MetastudyError(
                f"{again.path} does not come from {name} of {parcel.id} that is here: its keyed "
                "checksum is another one. Put the file there that the parcel was made from, use "
                "the key of pseudonyms of that day, or make a new parcel"
            )
    files = parcel.manifest["files"]
    spelt = {name: digest(canonical(one)) for name, one in again.documents.items()}
    names = sorted(set(files) | set(spelt))
    if other := [name for name in names if files.get(name) != spelt.get(name)]:
        why = (
            "though data, code and packages are the same: the parcel was changed"
            if same_code
            else "and so are code or packages: verify it with those that it was made with, or make "
            "a new parcel"
        )
        raise MetastudyError(
            f"{again.path} is not what comes out of its data file: "
            f"{', '.join(other)} {'are' if len(other) > 1 else 'is'} different, {why}"
        )


if __name__ == "__main__":
    run(main)
