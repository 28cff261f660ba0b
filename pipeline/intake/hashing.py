"""A reporter's keyed hash: enough to count different people who report the same matter, and nothing else.

HMAC-SHA256 with a secret key, so that nobody without the key can find a known name or number by hashing it. The key comes from
`TRIAGE_SECRET_KEY`, or from a file that is made on first use and never leaves the machine. With another key the same person
gets another hash, so a deployment must keep its key for as long as it compares reports.
"""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from pipeline.errors import ParameterError

KEY_FILE = ".triage-key"
_MIN_KEY_CHARACTERS = 16
_HASH_CHARACTERS = 32  # 128 bits: no two reporters meet by chance


def secret_key(root: Path) -> bytes:
    """The key of this deployment; made and kept in `<root>/.triage-key`, readable by its owner only, on first use.

    Raises:
        ParameterError: If the key given is too short to protect anybody.
    """
    given = os.environ.get("TRIAGE_SECRET_KEY")
    path = root / KEY_FILE
    if given is None:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            given = path.read_text(encoding="ascii").strip()
        else:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                given = secrets.token_hex(32)
                file.write(given + "\n")
    if len(given) < _MIN_KEY_CHARACTERS:
        raise ParameterError(
            f"The secret key must have at least {_MIN_KEY_CHARACTERS} characters, got {len(given)}. Set TRIAGE_SECRET_KEY to "
            f"the output of `openssl rand -hex 32`, or unset it and remove {path} to have one made."
        )
    return given.encode()


def hash_reporter(reporter: str, source: str, key: bytes) -> str:
    """The keyed hash of a reporter, 32 hexadecimal digits; the same name in two sources is two reporters.

    Args:
        reporter: Name, number or user id as the source wrote it.
        source: Name of the source; user ids of different systems have nothing to do with each other.
        key: From `secret_key`.
    """
    message = f"{source}\x00{reporter}".encode()
    return hmac.new(key, message, hashlib.sha256).hexdigest()[:_HASH_CHARACTERS]
