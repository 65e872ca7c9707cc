"""Passwords: right and wrong ones, and what they cost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import bcrypt
import pytest

from aipower.web.passwords import MAX_BAD, MAX_WAITING, Passwords, TooManyChecksError

T = TypeVar("T")
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
        return [await passwords.right(USERS, name, password) for _ in range(2)]

    assert run(twice) == [right, right]


@pytest.mark.parametrize("version", [b"$2a$", b"$2b$", b"$2y$"])
def test_the_hashes_of_other_tools_work(version: bytes) -> None:
    users = {"ada": USERS["ada"].replace(b"$2b$", version)}
    assert run(lambda passwords: passwords.right(users, "ada", SECRET))


def test_a_long_password_counts_as_far_as_bcrypt_looks() -> None:
    users = {"ada": bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4))}
    assert run(lambda passwords: passwords.right(users, "ada", b"x" * 100))


def test_a_changed_hash_is_in_force_at_once_though_the_old_password_is_remembered() -> None:
    async def test(passwords: Passwords) -> list[bool]:
        before = await passwords.right(USERS, "ada", SECRET)
        return [before, await passwords.right({"ada": USERS["bob"]}, "ada", SECRET)]

    assert run(test) == [True, False]


def test_known_passwords_right_and_wrong_are_not_computed_again() -> None:
    async def test(passwords: Passwords) -> None:
        assert await passwords.right(SLOW, "ada", SECRET)
        assert not await passwords.right(SLOW, "ada", b"old")
        began_s = time.thread_time(), time.process_time()
        for _ in range(200):
            assert await passwords.right(SLOW, "ada", SECRET)
            assert not await passwords.right(SLOW, "ada", b"old")
        # 400 checks would take some 20 s.
        assert time.process_time() - began_s[1] < 2

    run(test)


def test_the_same_question_at_once_is_computed_once_and_guessers_wait_outside() -> None:
    async def test(passwords: Passwords) -> None:
        same = [asyncio.ensure_future(passwords.right(SLOW, "ada", SECRET)) for _ in range(4 * MAX_WAITING)]
        await asyncio.sleep(0)
        guesses = [asyncio.ensure_future(passwords.right(SLOW, "ada", b"%d" % n)) for n in range(4 * MAX_WAITING)]
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
            assert not await passwords.right(USERS, "ada", b"%d" % number)
        return len(passwords._bad)

    assert run(test) == MAX_BAD
