"""Passwords: right and wrong ones, and what they cost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import bcrypt
import pytest

from aipower.web.hashes import matches
from aipower.web.passwords import EACH_WAITING, MAX_BAD, MAX_WAITING, Passwords, TooManyChecksError

T = TypeVar("T")
HERE = "192.0.2.1"
SECRET = "pässword".encode()
USERS = {"ada": bcrypt.hashpw(SECRET, bcrypt.gensalt(4)), "bob": bcrypt.hashpw(b"other", bcrypt.gensalt(5))}
SLOW = {"ada": bcrypt.hashpw(SECRET, bcrypt.gensalt(10))}


def run(test: Callable[[Passwords], Awaitable[T]]) -> T:
    async def main() -> T:
        passwords = Passwords()
        try:
            return await test(passwords)
        finally:
            passwords.close()

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("name", "password", "right"),
    [
        ("ada", SECRET, True),
        ("ada", SECRET + b"x", False),
        ("ada", b"", False),
        ("ada", b"other", False),
        ("bob", b"other", True),
        ("eve", b"other", False),
        ("", b"", False),
        ("ada\udcff", SECRET, False),
        ("ada", b"a\0b", False),
    ],
)
def test_who_may_come_in(name: str, password: bytes, right: bool) -> None:
    async def twice(passwords: Passwords) -> list[bool]:
        return [await passwords.right(USERS, name, password, HERE) for _ in range(2)]

    assert run(twice) == [right, right]


@pytest.mark.parametrize("version", [b"$2a$", b"$2b$", b"$2y$"])
def test_the_hashes_of_other_tools_work(version: bytes) -> None:
    users = {"ada": USERS["ada"].replace(b"$2b$", version)}
    assert run(lambda passwords: passwords.right(users, "ada", SECRET, HERE))


def test_a_long_password_counts_as_far_as_bcrypt_looks() -> None:
    users = {"ada": bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4))}
    assert run(lambda passwords: passwords.right(users, "ada", b"x" * 100, HERE))


def test_a_changed_hash_is_in_force_at_once_though_the_old_password_is_remembered() -> None:
    async def test(passwords: Passwords) -> list[bool]:
        before = await passwords.right(USERS, "ada", SECRET, HERE)
        return [before, await passwords.right({"ada": USERS["bob"]}, "ada", SECRET, HERE)]

    assert run(test) == [True, False]


def test_known_passwords_right_and_wrong_are_not_computed_again() -> None:
    async def test(passwords: Passwords) -> None:
        assert await passwords.right(SLOW, "ada", SECRET, HERE)
        assert not await passwords.right(SLOW, "ada", b"old", HERE)
        began_s = time.thread_time(), time.process_time()
        for _ in range(200):
            assert await passwords.right(SLOW, "ada", SECRET, HERE)
            assert not await passwords.right(SLOW, "ada", b"old", HERE)
        # 400 checks would take some 20 s.
        assert time.process_time() - began_s[1] < 2

    run(test)


def test_the_same_question_at_once_is_computed_once_and_guessers_wait_outside() -> None:
    async def test(passwords: Passwords) -> None:
        same = [asyncio.ensure_future(passwords.right(SLOW, "ada", SECRET, HERE)) for _ in range(4 * MAX_WAITING)]
        await asyncio.sleep(0)
        guesses = [
            asyncio.ensure_future(passwords.right(SLOW, "ada", b"%d" % n, f"192.0.2.{n}"))
            for n in range(4 * MAX_WAITING)
        ]
        outcomes = await asyncio.gather(*guesses[MAX_WAITING - 1 :], return_exceptions=True)
        assert all(isinstance(outcome, TooManyChecksError) for outcome in outcomes)
        assert all(await asyncio.gather(*same))
        passwords.close()
        for guess in guesses:
            guess.cancel()

    run(test)


def test_few_wrong_passwords_are_remembered() -> None:
    async def test(passwords: Passwords) -> int:
        for number in range(MAX_BAD + 20):
            assert not await passwords.right(USERS, "ada", b"%d" % number, HERE)
        return len(passwords._bad)

    assert run(test) == MAX_BAD


def test_a_guesser_takes_few_of_the_places_and_others_have_their_turn() -> None:
    async def test(passwords: Passwords) -> None:
        guesses = [asyncio.ensure_future(passwords.right(USERS, "ada", b"%d" % n, HERE)) for n in range(MAX_WAITING)]
        await asyncio.sleep(0)
        assert await passwords.right(USERS, "bob", b"other", "192.0.2.2")
        outcomes = await asyncio.gather(*guesses, return_exceptions=True)
        assert outcomes[:EACH_WAITING] == [False] * EACH_WAITING
        assert all(isinstance(outcome, TooManyChecksError) for outcome in outcomes[EACH_WAITING:])
        assert await passwords.right(USERS, "ada", SECRET, HERE), "once its guesses are checked, it may ask again"

    run(test)


@pytest.mark.parametrize("name", ["ada", "bob", "eve"])
def test_a_wrong_password_costs_the_same_whoever_it_is_of(name: str) -> None:
    """Or the time would tell which names there are."""
    costs = list[int]()

    def count(password: bytes, hashed: bytes) -> bool:
        costs.append(int(hashed[4:6]))
        return bcrypt.checkpw(password, hashed)

    users = {"ada": USERS["ada"], "bob": bcrypt.hashpw(b"other", bcrypt.gensalt(8))}
    assert not matches(users, name, b"wrong", count)
    assert sum(2**cost for cost in costs) == 2**8
    costs.clear()
    assert matches(users, "ada", SECRET, count)
    assert costs == [4], "the right one need not wait"
