r"""Text files as lines: unpacking, finding the encoding, and carrying broken bytes to the row they belong to.

Bytes that are not of the encoding are carried as lone surrogates, which no good text contains, so that their row can be
rejected and the file goes on. UTF-16 has no such way of carrying them: there they become U+FFFD and the row stays.

Limits: a line above 2,000,000 characters is given as None. Lines end in `\n` or `\r\n` (in `\r` alone only where the
beginning of a file has no `\n`).
"""

import codecs
import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import charset_normalizer

from pipeline.errors import SourceError

MAX_RECORD_CHARACTERS = 2_000_000
SAMPLE_BYTES = 1 << 18
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def open_bytes(path: Path) -> BinaryIO:
    """Open a file for reading, through gzip where its name ends in `.gz`."""
    return cast(BinaryIO, gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def read_sample(path: Path) -> bytes:
    """The first 256 KiB of a file, unpacked.

    Raises:
        SourceError: If there is nothing in it.
    """
    with open_bytes(path) as file:
        sample = file.read(SAMPLE_BYTES)
    if not sample:
        raise SourceError(f"{path} is empty. Export it again, or run `triage fetch` for its source.")
    return sample


def detect_encoding(sample: bytes) -> str:
    """Find the encoding of a text from its beginning.

    A byte order mark decides; then UTF-8, if at least half of the lines beyond ASCII are; then GB18030, if its decoding
    consists of everyday characters (those of GB 2312), which other encodings read as GB18030 do not; else the statistics
    of charset-normalizer.

    Args:
        sample: The first bytes; the last line may be cut off.
    """
    for mark, name in _BOMS:
        if sample.startswith(mark):
            return name
    lines = [line for line in sample[: sample.rfind(b"\n") + 1 or None].splitlines() if not line.isascii()]
    n_utf8 = sum(_decodes(line, "utf-8") for line in lines)
    if 2 * n_utf8 >= len(lines):
        return "utf-8"
    beyond = [char for line in lines for char in line.decode("gb18030", "surrogateescape") if not char.isascii()]
    if sum(_encodes(char, "gb2312") for char in beyond) >= 0.9 * len(beyond):
        return "gb18030"
    best = charset_normalizer.from_bytes(sample).best()
    return "gb18030" if best is None else str(best.encoding)


def _decodes(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _encodes(char: str, encoding: str) -> bool:
    try:
        char.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def usable_encoding(declared: str | None, sample: bytes, path: Path) -> str:
    """The declared encoding, or the one found.

    Raises:
        SourceError: If the declared one does not exist.
    """
    if declared is None:
        return detect_encoding(sample)
    try:
        name = codecs.lookup(declared).name
    except LookupError as error:
        raise SourceError(
            f"{path}: there is no encoding '{declared}'. Set 'encoding' in its registry file to utf-8, gb18030 or another "
            "that Python knows, or leave it out."
        ) from error
    return "utf-8-sig" if name == "utf-8" else name


def decode_sample(sample: bytes, encoding: str) -> str:
    """The beginning of a file as text, broken bytes included."""
    return sample.decode(encoding, _on_error(encoding))


def _on_error(encoding: str) -> str:
    return "replace" if encoding.replace("_", "-").startswith(("utf-16", "utf-32")) else "surrogateescape"


@contextmanager
def open_lines(path: Path, encoding: str, newline: str) -> Iterator[Iterator[str | None]]:
    r"""Open a file as lines without their ends; None stands for a line that is too long.

    Args:
        path: The file.
        encoding: Its encoding.
        newline: What ends a line, `\n` or `\r`.
    """
    with open_bytes(path) as file, io.TextIOWrapper(file, encoding, _on_error(encoding), newline=newline) as stream:
        yield _lines(stream)


def _lines(stream: io.TextIOWrapper) -> Iterator[str | None]:
    while line := stream.readline(MAX_RECORD_CHARACTERS):
        if len(line) < MAX_RECORD_CHARACTERS or line.endswith(("\n", "\r")):
            yield line.rstrip("\r\n")
            continue
        while (rest := stream.readline(MAX_RECORD_CHARACTERS)) and not rest.endswith(("\n", "\r")):
            pass
        yield None
