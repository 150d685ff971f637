"""A harmonized study: its report and tables, read by one loader."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from metastudy.common import made_files
from metastudy.harmonized import parquet, schema
from metastudy.harmonized.scale_scores import NEEDED
from metastudy.harmonized.schema import PARCEL, REPORT

__all__ = ["PLACE", "REPORT", "Study", "load_study"]

PLACE = ("country", "sector", "role", "arrangement")


@dataclass(frozen=True)
class Study:
    """A study's report, and by name its harmonized tables; one that is not given has no rows.

    ``parcel`` is the file of sufficient statistics that it came as, if it came without rows.
    """

    report: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]
    parcel: Path | None = None

    def __getitem__(self, name: str) -> pd.DataFrame:
        try:
            return self.tables[name]
        except KeyError:
            return schema.empty(name)

    def with_tables(self, **tables: pd.DataFrame) -> Study:
        """Give the study with these tables in place of its own."""
        return replace(self, tables={**self.tables, **tables})

    @property
    def id(self) -> str:
        """The study's key."""
        return str(self.report["study"])

    @property
    def provenance(self) -> str:
        """Whether its data are simulated or observed."""
        return str(self.report["provenance"])

    @property
    def vocabulary(self) -> Mapping[str, Any]:
        """The entries that its codebook adds to the common vocabulary, by section."""
        return self.report.get("vocabulary") or {}

    @property
    def people(self) -> int:
        """How many people it has, whether as rows, in arms or behind the cells of a parcel."""
        return len(self.respondents) if self.has_rows else int(self.report["rows_kept"])

    @property
    def has_rows(self) -> bool:
        """Whether its people are there one by one; not in a parcel, nor in arms with means."""
        return self.parcel is None and self.arms.empty

    @property
    def respondents(self) -> pd.DataFrame:
        """One row a respondent, or a case, or an arm of which only means are known."""
        return self["respondents"]

    @property
    def arms(self) -> pd.DataFrame:
        """One row an arm and construct, of a study of which only means of arms are known."""
        return self["arms"]

    def outcomes_apart(self, outcomes: Iterable[str]) -> bool:
        """Whether it has several of some outcomes, and which one person has together is unknown."""
        return len(set(outcomes) & set(self.report.get("outcomes_apart", ()))) > 1

    def counted(self, by: Sequence[Iterable[Any]]) -> Counter[tuple[Any, ...]]:
        """Count people by what their rows have, an arm as its people.

        Parameters
        ----------
        by : columns, each aligned with the rows of :attr:`respondents`.
        """
        if self.arms.empty:
            return Counter(zip(*by, strict=True))
        people = self.people_of.loc[self.respondents["respondent_id"]]
        found: Counter[tuple[Any, ...]] = Counter()
        for number, values in zip(people, zip(*by, strict=True), strict=True):
            found[values] += int(number)
        return found

    @property
    def places(self) -> Counter[tuple[Any, ...]]:
        """People by country, sector, role and arrangement; an empty text is what is not said."""
        said = self.respondents.reindex(columns=list(PLACE)).astype("str").fillna("")
        return self.counted([said[name] for name in PLACE])

    @property
    def people_of(self) -> pd.Series:
        """How many people each respondent is, by ``respondent_id``: one, or those of an arm."""
        if self.arms.empty:
            return pd.Series(1, index=pd.Index(self.respondents["respondent_id"].unique()))
        arms = self.arms.drop_duplicates("respondent_id").set_index("respondent_id")
        return arms["people"].astype("int64")

    @property
    def assignments(self) -> pd.DataFrame:
        """One row a respondent, vignette and factor."""
        return self["assignments"]

    @property
    def measurements(self) -> pd.DataFrame:
        """One row a respondent and item."""
        return self["measurements"]

    @property
    def codings(self) -> pd.DataFrame:
        """One row a segment, coder and code."""
        return self["codings"]

    @property
    def readings(self) -> pd.DataFrame:
        """One row a source and coder who read it."""
        return self["readings"]

    @property
    def case_ratings(self) -> pd.DataFrame:
        """One row a case and dimension."""
        return self["case_ratings"]

    @property
    def effects(self) -> pd.DataFrame:
        """One row a published finding."""
        return self["effects"]


class _StoredTables(Mapping[str, pd.DataFrame]):
    """The tables in a folder, each read when it is first asked for."""

    def __init__(self, folder: Path, measured: Sequence[str] | None):
        self._folder, self._measured = folder, measured
        self._read: dict[str, pd.DataFrame] = {}

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self._read:
            path = self._folder / f"{name}.parquet"
            if not path.is_file():
                raise KeyError(name)
            some = self._measured if name == "measurements" else None
            self._read[name] = parquet.read_some(path, some) if some else parquet.read(path)
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return (name for name in schema.TABLES if (self._folder / f"{name}.parquet").is_file())

    def __len__(self) -> int:
        return sum(1 for _ in self)


def load_study(folder: Path, measured: Sequence[str] | None = NEEDED) -> Study:
    """Open a study's folder under ``results/harmonized``; a table is read when it is asked for.

    Parameters
    ----------
    folder : with ``report.json`` and a Parquet file for each table of
        :data:`metastudy.harmonized.schema.TABLES`; a table without a file has no rows.
    measured : of the measurements, much the longest table, only these columns are read, texts as
        categoricals; all as they are if ``None``.
    """
    report = made_files.report(Path(folder) / REPORT)
    parcel = Path(folder) / PARCEL
    tables = _StoredTables(Path(folder), measured)
    return Study(report, tables, parcel if parcel.is_file() else None)
