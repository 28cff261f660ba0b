"""Bringing a registered source into `data/raw`: from a mirror folder, or from its public https address.

A file is copied aside, its checksum verified, and only then renamed into place, so that a broken download never looks like a
source. A file without a registered checksum cannot be verified and is taken as it is.
"""

import logging
import shutil
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from tqdm import tqdm

from pipeline.errors import SourceError
from pipeline.intake.registration import Source, SourceFile, checksum, load_source
from pipeline.params import Places

logger = logging.getLogger(__name__)
_BLOCK_BYTES = 1 << 18
_TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class Fetched:
    """What was brought.

    Attributes:
        source: Name of the source.
        folder: Where its files now lie.
        n_brought: Files copied or downloaded.
        n_present: Files that were there already, with the right checksum.
        n_bytes: Size of all files of the source.
    """

    source: str
    folder: Path
    n_brought: int
    n_present: int
    n_bytes: int


def fetch(name: str, root: Path, *, mirror: Path | None) -> Fetched:
    """Bring the files of a registered source into `data/raw/<name>`.

    Args:
        name: The source.
        root: Project folder.
        mirror: Folder that holds files under the paths of the registry; None to download.

    Raises:
        SourceError: If a file is nowhere to be had, or is not the one that was registered; nothing is left half-written.
    """
    source = load_source(root, name)
    folder = Places(root, name).raw(name)
    if not source.files:
        raise SourceError(f"Source '{name}' is read from a database; there is nothing to fetch.")
    present = [file for file in source.files if _is_present(folder / file.file_name, file)]
    missing = [file for file in source.files if file not in present]
    folder.mkdir(parents=True, exist_ok=True)
    brought: list[tuple[Path, Path]] = []
    try:
        for file in missing:
            aside = folder / (file.file_name + ".fetching")
            brought.append((aside, folder / file.file_name))
            _bring(source, file, aside, mirror)
        for aside, path in brought:
            aside.replace(path)
    finally:
        for aside, _ in brought:
            aside.unlink(missing_ok=True)
    n_bytes = sum((folder / file.file_name).stat().st_size for file in source.files)
    logger.info("fetch: %s, %d brought, %d already there, %d bytes", name, len(missing), len(present), n_bytes)
    return Fetched(name, folder, len(missing), len(present), n_bytes)


def _is_present(path: Path, file: SourceFile) -> bool:
    return file.sha256 is not None and path.is_file() and checksum(path) == file.sha256


def _bring(source: Source, file: SourceFile, aside: Path, mirror: Path | None) -> None:
    """Copy or download one file to `aside` and verify it."""
    if mirror is not None and (mirror / file.path).is_file():
        came_from = str(mirror / file.path)
        shutil.copyfile(mirror / file.path, aside)
    elif source.url is not None:
        came_from = f"{source.url.rstrip('/')}/{urllib.parse.quote(file.path)}"
        _download(came_from, aside)
    else:
        looked = "TRIAGE_MIRROR is not set" if mirror is None else f"it is not at {mirror / file.path}"
        raise SourceError(
            f"Source '{source.name}': {file.path} has no public address, and {looked}. Set TRIAGE_MIRROR to the folder that "
            f"holds it, or put it into data/raw/{source.name} yourself. Origin: {source.origin}"
        )
    found = checksum(aside)
    if file.sha256 is not None and found != file.sha256:
        raise SourceError(
            f"{came_from} is not the file that was registered for source '{source.name}': sha256 wanted {file.sha256}, found "
            f"{found}. Nothing was kept. Check the mirror, or register the new file with `triage register` if it is meant."
        )


def _download(address: str, aside: Path) -> None:
    """Download a public file with a progress bar on a terminal.

    Raises:
        SourceError: If the address does not answer, or leads away from https.
    """
    try:
        with urllib.request.urlopen(address, timeout=_TIMEOUT_SECONDS) as answer, aside.open("wb") as file:
            if not answer.geturl().startswith("https://"):
                raise SourceError(f"{address} leads to an address without https. Nothing was kept. Correct 'url'.")
            size = int(answer.headers.get("Content-Length") or 0) or None
            with tqdm(total=size, unit="B", unit_scale=True, desc=aside.stem, delay=2, disable=None, leave=False) as bar:
                while block := cast(BinaryIO, answer).read(_BLOCK_BYTES):
                    file.write(block)
                    bar.update(len(block))
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        raise SourceError(
            f"{address} could not be downloaded ({error}). Try again, or set TRIAGE_MIRROR to a folder that holds the file."
        ) from error
