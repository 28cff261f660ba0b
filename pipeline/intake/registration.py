"""What a registry file says of a source: origin, licence, files with checksums, and which column is which.

A source is a set of files (or one SQL query) with the same columns. `kind` tells what its rows are: `reports`, `outcomes` (what
became of the reports of another source), `decisions` (what reviewers concluded of reports) or `counts` (no text; registered
and fetched, not read by intake). Checksums are verified before a byte is interpreted, so that an altered export is noticed
here and not in an evaluation.
"""

import hashlib
from collections.abc import Mapping
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from pipeline.errors import SourceError
from pipeline.params import Places
from pipeline.settings import Section, read_yaml

Kind = Literal["reports", "outcomes", "decisions", "counts"]
Format = Literal["csv", "jsonl", "parquet", "xlsx", "sql"]
_BLOCK_BYTES = 1 << 20


class SourceFile(Section):
    """One file of a source.

    `path` is relative to the mirror folder and to the public address; the file itself lies under its last part in
    `data/raw/<source>`. A null `sha256` says that the file grows from day to day and cannot be pinned.
    """

    path: str
    sha256: str | None = Field(pattern=r"^[0-9a-f]{64}$")

    @field_validator("path")
    @classmethod
    def _stay_inside(cls, path: str) -> str:
        parts = PurePosixPath(path)
        if not path or parts.is_absolute() or ".." in parts.parts or "\\" in path:
            raise ValueError(f"'{path}' must be a relative path without '..'")
        return path

    @property
    def file_name(self) -> str:
        """What the file is called in `data/raw/<source>`."""
        return PurePosixPath(self.path).name


class Query(Section):
    """Rows of a database; the address, which holds a password, comes from the environment variable `url_env`."""

    url_env: str
    query: str


class Columns(Section):
    """The source's own name of each column we use; what a source does not have is left out.

    `narrative_fallback` is word-segmented text that stands in where `narrative` is empty; its spaces are dropped.
    `report_id`, `outcome` and `recorded_at` belong to sources of kind `outcomes`; `report_id`, `recorded_at`, `action`,
    `category`, `selected` and `propensity` to `decisions`; all others to `reports`.
    """

    source_id: str | None = None
    received_at: str | None = None
    title: str | None = None
    narrative: str | None = None
    narrative_fallback: str | None = None
    area: str | None = None
    channel: str | None = None
    reporter: str | None = None
    category: str | None = None
    duplicate_key: str | None = None
    report_id: str | None = None
    outcome: str | None = None
    recorded_at: str | None = None
    action: str | None = None
    selected: str | None = None
    propensity: str | None = None

    @property
    def named(self) -> dict[str, str]:
        """Our name to the source's name, for the columns the source has."""
        return {ours: theirs for ours, theirs in self.model_dump().items() if theirs is not None}


class Source(Section):
    """A registry file, `data/registry/<name>.yaml`.

    Attributes:
        as_of_day: The day the file was made; a later date in it is impossible. Null for a source that grows.
        pii: Personal data in the file as it came: `none`, `pseudonymous` (ids, places) or `personal`.
        n_rows: Rows the file held when it was registered.
        encoding: Of CSV and JSONL; null lets intake find out.
        delimiter: Of CSV; null lets intake find out.
        date_order: `dmy` or `mdy` where the year comes last (3/7/2019); years that come first need none.
        dated: Whether reports carry a day of arrival; an undated source gets null `received_at` throughout.
        of: For outcomes, the source whose reports they belong to.
        columns: Which column is which.
        categories: The source's label to the id of a taxonomy leaf; empty where the labels are ids already.
        outcome_labels: The source's label to an outcome id, or to null where it is no escalation; empty as above.
        outcomes: Outcomes this source can supply, `re_reported` among them where matters and reporters can be told apart.
        url: Public https address of the folder the files lie in, or null where there is none.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    kind: Kind
    title: str
    origin: str
    licence: str
    owner: str
    as_of_day: date | None
    pii: Literal["none", "pseudonymous", "personal"]
    n_rows: int | None = Field(ge=0)
    url: str | None
    files: tuple[SourceFile, ...] = ()
    sql: Query | None = None
    format: Format
    encoding: str | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    timezone: str
    date_order: Literal["dmy", "mdy"] | None = None
    dated: bool
    of: str | None = None
    columns: Columns
    categories: dict[str, str] = {}
    outcome_labels: dict[str, str | None] = {}
    outcomes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _rows_come_from_somewhere(self) -> Self:
        if (self.format == "sql") != (self.sql is not None) or (self.format == "sql") == bool(self.files):
            raise ValueError("give 'files' for a file format, or format 'sql' with 'sql' and no files")
        names = [file.file_name for file in self.files]
        if len(set(names)) != len(names):
            raise ValueError("two of 'files' have the same file name, so one would overwrite the other")
        if self.url is not None and not self.url.startswith("https://"):
            raise ValueError("'url' must start with https://, or be null where there is no public address")
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"timezone '{self.timezone}' is not an IANA time zone such as Asia/Shanghai") from error
        return self

    @model_validator(mode="after")
    def _columns_suit_the_kind(self) -> Self:
        named = self.columns.named
        if self.kind == "reports":
            if "narrative" not in named and "narrative_fallback" not in named:
                raise ValueError("'columns' of reports must name 'narrative' or 'narrative_fallback'")
            if self.dated and "received_at" not in named:
                raise ValueError("'columns' must name 'received_at'; or say 'dated: false'")
            if self.dated and "duplicate_key" in named:
                raise ValueError("only an undated source may declare copies: leave 'duplicate_key' out, or say 'dated: false'")
        if self.kind == "decisions" and not {"report_id", "category", "recorded_at", "propensity"} <= set(named):
            raise ValueError("decisions need the columns report_id, category, recorded_at and propensity")
        if self.kind == "outcomes":
            missing = [name for name in ("report_id", "outcome", "recorded_at") if name not in named]
            if missing or self.of is None:
                raise ValueError("outcomes need 'of' and the columns report_id, outcome and recorded_at")
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The time zone that instants without one are written in."""
        return ZoneInfo(self.timezone)


def load_source(root: Path, name: str) -> Source:
    """Read a registry file and see that its name is the file's.

    Raises:
        SourceError: If there is no such source.
        ParameterError: If the file is malformed.
    """
    path = Places(root, name).source_file(name)
    if not path.exists():
        known = ", ".join(sorted(file.stem for file in path.parent.glob("*.yaml"))) or "none"
        raise SourceError(
            f"There is no source '{name}' ({path}). Known sources: {known}. Correct the name, or draft it with "
            "`triage register`."
        )
    source = read_yaml(path, Source)
    if source.name != name:
        raise SourceError(f"{path}: 'name' is '{source.name}', but the file is called '{name}'. Make them the same.")
    return source


def load_sources(root: Path) -> Mapping[str, Source]:
    """Read every registry file, by name."""
    return {path.stem: load_source(root, path.stem) for path in sorted((root / "data" / "registry").glob("*.yaml"))}


def checksum(path: Path) -> str:
    """The sha256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def verify(source: Source, folder: Path) -> dict[str, str]:
    """See that every file of a source is there, holds something, and is the one that was registered.

    Args:
        source: The source.
        folder: Where its files lie, `data/raw/<source>`.

    Returns:
        File name to sha256, as read; empty for a database.

    Raises:
        SourceError: If a file is missing, empty or altered.
    """
    found = {}
    for file in source.files:
        path = folder / file.file_name
        if not path.is_file():
            raise SourceError(
                f"Source '{source.name}' needs {path}, but there is no such file. Run `triage fetch {source.name}`."
            )
        if path.stat().st_size == 0:
            raise SourceError(
                f"{path} of source '{source.name}' is empty. Run `triage fetch {source.name}`, or export it again."
            )
        digest = checksum(path)
        if file.sha256 is not None and digest != file.sha256:
            raise SourceError(
                f"{path} is not the file that was registered: sha256 wanted {file.sha256}, found {digest}. Run "
                f"`triage fetch {source.name}` to bring it back, or `triage register` if the new file is meant."
            )
        found[file.file_name] = digest
    return found
