"""How far the posted energy of a process or a run may be off in all, as windows come and evidence grows.

An intensity that is off makes all windows wrong together, so what counts is how much the sum of a process's energy
depends on each intensity. Windows that are remembered are set right when the solution changes (see `backlog`), so
their error is that of the newest solution; older ones keep the one they had.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from operator import mul

from msgspec import Struct

from aipower.attribution.evidence import Solution
from aipower.attribution.leverage import NO_SLOPES, Direction, Doubted, Owner
from aipower.attribution.priors import PROGRAM_SE
from aipower.attribution.symmetric import Matrix, quadratic
from aipower.attribution.vectors import dot


class _Image(Struct, frozen=True, gc=False):
    """A direction in the columns of the basis, its product with the intensities' errors, and its own square."""

    slopes_uj: Sequence[float]
    errors: Sequence[float]
    square_uj2: float


class _Account(Struct, gc=False):
    """Sums over the remembered windows, and what older ones have left."""

    slopes_uj: list[float]
    square_uj2: float | None = None
    """Of the error that the slopes make; None while it must be found anew."""
    floor_uj: float = 0.0
    old_uj: float = 0.0
    told_uj: float = 0.0
    windows: int = 0


class Doubts:
    """The doubts of one device."""

    def __init__(self, remembered: int | None) -> None:
        """Remember so many windows, or all."""
        self._remembered = remembered
        self._windows: deque[Doubted] = deque()
        self._accounts: dict[Owner, _Account] = {}
        self._basis = Basis()

    def add(self, doubted: Doubted, solution: Solution, mean_w: float) -> None:
        """Take in one window."""
        self._know(doubted, solution, mean_w)
        self._remember(doubted)
        if self._remembered is None:
            return
        self._windows.append(doubted)
        if len(self._windows) > self._remembered:
            self._forget(self._windows.popleft())

    def news_uj(self, owners: Iterable[Owner]) -> list[float]:
        """How much more standard error there is than was told; negative where evidence has made it less."""
        accounts, found = self._accounts, []
        for owner in owners:
            account = accounts[owner]
            square_uj2 = account.square_uj2
            if square_uj2 is None:
                square_uj2 = account.square_uj2 = self._basis.square(account.slopes_uj)
            split_uj = math.sqrt(square_uj2) if square_uj2 > 0 else 0.0
            total_uj = account.old_uj + math.hypot(split_uj, account.floor_uj)
            found.append(total_uj - account.told_uj)
            account.told_uj = total_uj
        return found

    def _know(self, doubted: Doubted, solution: Solution, mean_w: float) -> None:
        """By another solution all that was multiplied with its errors is found anew."""
        basis = self._basis
        if solution is basis.solution:
            self._open(doubted.columns)
            return
        used = dict.fromkeys(window.columns for window in (*self._windows, doubted))
        kept = basis.columns if self._remembered is None else ()
        self._basis = Basis((*solution.columns, *kept, *(c for columns in used for c in columns)), solution, mean_w)
        at = [basis.place.get(column) for column in self._basis.columns]
        for account in self._accounts.values():
            account.slopes_uj = [0.0 if i is None else account.slopes_uj[i] for i in at]
            account.square_uj2 = None

    def _open(self, columns: Iterable[str]) -> None:
        """Programs that come between two solutions change nothing of what the others' errors make."""
        place = self._basis.place
        if new := [column for column in columns if column not in place]:
            self._basis.open(new)
            for account in self._accounts.values():
                account.slopes_uj = account.slopes_uj + [0.0] * len(new)

    def _remember(self, doubted: Doubted) -> None:
        accounts, images, size = self._accounts, self._images(doubted), len(self._basis.columns)
        for owner, kind, part, floor_uj in doubted.rows():
            account = accounts.get(owner)
            if account is None:
                # Where nothing is forgotten only the end counts.
                account = accounts[owner] = _Account([0.0] * size, None if self._remembered is None else 0.0)
            account.windows += 1
            account.floor_uj += floor_uj
            if kind != NO_SLOPES:
                _lean(account, images[kind], part)

    def _forget(self, doubted: Doubted) -> None:
        accounts, images = self._accounts, self._images(doubted)
        for owner, kind, part, floor_uj in doubted.rows():
            account = accounts[owner]
            account.windows -= 1
            if not account.windows:
                del accounts[owner]
                continue
            account.floor_uj -= floor_uj
            if kind == NO_SLOPES:
                account.old_uj += floor_uj
                continue
            image = images[kind]
            _lean(account, image, -part)
            account.old_uj += math.hypot(part * math.sqrt(max(0.0, image.square_uj2)), floor_uj)

    def _images(self, doubted: Doubted) -> Sequence[_Image]:
        if not doubted.directions:
            return ()
        return self._basis.images(doubted.columns, doubted.seconds, doubted.directions)


def _lean(account: _Account, image: _Image, share: float) -> None:
    """Add so much of `image`: the square follows without the products of all pairs of columns."""
    slopes_uj = account.slopes_uj
    if account.square_uj2 is not None:
        along = 2 * sum(map(mul, image.errors, slopes_uj)) + share * image.square_uj2
        account.square_uj2 += share * along
    account.slopes_uj = [have + share * new for have, new in zip(slopes_uj, image.slopes_uj, strict=True)]


class Basis:
    """Columns in an order, with the errors of their intensities by one solution."""

    def __init__(self, columns: Iterable[str] = (), solution: Solution | None = None, mean_w: float = 0.0) -> None:
        """Columns without evidence have the prior's error."""
        self.solution = solution
        self.columns: list[str] = []
        self.place: dict[str, int] = {}
        self._prior_w2 = (PROGRAM_SE * mean_w) ** 2
        self._errors_w2: Matrix = []
        self.open(dict.fromkeys(columns))
        known = solution.place if solution is not None else {}
        at = [known.get(column) for column in self.columns]
        for k, i in enumerate(at):
            if solution is not None and i is not None:
                row = solution.covariance_w2[i]
                self._errors_w2[k] = [0.0 if j is None else row[j] for j in at]

    def open(self, columns: Iterable[str]) -> None:
        """Take in columns of which nothing is known yet."""
        for column in columns:
            self.place[column] = len(self.columns)
            self.columns.append(column)
            for row in self._errors_w2:
                row.append(0.0)
            self._errors_w2.append([0.0] * len(self.place))
            self._errors_w2[-1][-1] = self._prior_w2

    def square(self, slopes_uj: Sequence[float]) -> float:
        """The square of the error that slopes make, in square microjoules."""
        return quadratic(self._errors_w2, slopes_uj)

    def images(
        self, columns: Sequence[str], seconds: Sequence[float], directions: Sequence[Direction]
    ) -> list[_Image]:
        """All directions of a window, in steps of one vector each: they are all made of the same few."""
        at = [self.place[column] for column in columns]
        common = [0.0] * len(self.columns)
        for place, value in zip(at, seconds, strict=True):
            common[place] = value
        errors = [dot(row, common) for row in self._errors_w2]
        return [self._image(direction, at, common, errors) for direction in directions]

    def _image(
        self, direction: Direction, at: Sequence[int], common: Sequence[float], errors: Sequence[float]
    ) -> _Image:
        factor = direction.common_uj
        slopes = [factor * value for value in common]
        image = [factor * value for value in errors]
        for number, more in direction.more_uj:
            place = at[number]
            slopes[place] += more
            image = [value + more * error for value, error in zip(image, self._errors_w2[place], strict=True)]
        return _Image(slopes, image, dot(slopes, image))
