"""Passwords against the bcrypt hashes of users; a wrong one costs the same whoever it is said to be of."""

from __future__ import annotations

from collections.abc import Callable, Mapping

Check = Callable[[bytes, bytes], bool]
"""Whether a password is that of a hash."""


def hash_for(users: Mapping[str, bytes], name: str) -> bytes:
    """The hash to check a password of `name` against: that of somebody else where there is no such user."""
    return users.get(name) or _costliest(users)


def check_bcrypt(password: bytes, hashed: bytes) -> bool:
    """Whether `password` is that of `hashed`; False too for one that bcrypt does not take."""
    import bcrypt  # noqa: PLC0415 - only where somebody has set a password

    try:
        return bcrypt.checkpw(password, hashed)
    except ValueError:
        return False


def matches(users: Mapping[str, bytes], name: str, password: bytes, check: Check = check_bcrypt) -> bool:
    """Whether `password` is that of `name`, one of `users`.

    A no takes as many rounds of bcrypt as the costliest hash of all: the time does not tell which names there are.
    """
    hashed = hash_for(users, name)
    if check(password, hashed) and name in users:
        return True
    # Cost c is 2**c rounds, and 2**c + 2**c + 2**(c + 1) + ... + 2**(most - 1) = 2**most.
    for cost in range(_cost(hashed), _cost(_costliest(users))):
        check(password, b"%b%02d%b" % (hashed[:4], cost, hashed[6:]))
    return False


def _costliest(users: Mapping[str, bytes]) -> bytes:
    return max(users.values(), key=_cost)


def _cost(hashed: bytes) -> int:
    """Hashes begin with `$2b$10$`."""
    return int(hashed[4:6])
