"""Passwords and tokens: Argon2id (RFC 9106) for what people choose, SHA-256 for what we draw at random."""

import hashlib
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from pipeline.errors import StoreError

SHORTEST = 10  # characters; NIST SP 800-63B asks for at least 8, offline copies of a store make a little more worth it
LONGEST = 200
_HASHER = PasswordHasher()
_NOBODY = _HASHER.hash(secrets.token_urlsafe())


def hash_password(password: str) -> str:
    """The hash to keep.

    Raises:
        StoreError: If the password is too short or too long.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise StoreError(f"A password has {SHORTEST} to {LONGEST} characters, got {len(password)}. Choose a longer phrase.")
    return _HASHER.hash(password)


def is_right(password: str, password_hash: str | None) -> bool:
    """Whether the password is the one hashed; takes as long for an account that does not exist (`password_hash` None)."""
    try:
        right = _HASHER.verify(password_hash if password_hash is not None else _NOBODY, password[: LONGEST + 1])
    except (VerificationError, InvalidHashError):
        return False
    return right and password_hash is not None


def new_token() -> str:
    """A token nobody guesses: 256 random bits."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What is kept of a token, in hexadecimal."""
    return hashlib.sha256(token.encode()).hexdigest()
