"""An agent that runs: its page is fetched again and again, by a thread of its own."""

from __future__ import annotations

import base64
import http.client
import ssl
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from aipower.errors import AipowerError, UsageError
from aipower.model import Snapshot
from aipower.processes.table import user_name
from aipower.seams import Clock
from aipower.top.look import Look, Origin
from aipower.top.page import PageError, PageReader
from aipower.top.tickclock import TickClock

DEFAULT_URL = "http://127.0.0.1:9877/metrics"
TIMEOUT_S = 2.0
"""For each step of a fetch."""
SELDOM_S = 5.0
"""Pages further apart would miss windows of the processors."""
MOST_BYTES = 64 << 20
"""No page is longer."""
LOCAL_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})
MOST_DIGITS = 10
"""Of a user's number."""
MOST_LOOKS = 16
"""Kept for whoever does not take them."""


class Place(Struct, frozen=True):
    """Where an agent's page is."""

    url: str
    """As it may be shown: without a password."""
    secure: bool
    host: str
    port: int
    path: str
    headers: Mapping[str, str]

    @property
    def own_machine(self) -> bool:
        """True where the agent is on this machine."""
        return self.host in LOCAL_HOSTS


def parse_url(text: str) -> Place:
    """The place that `text` names; `/metrics` is added where it has no path.

    Raises:
        UsageError: It is no address of a page.
    """
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        port = parts.port
    except ValueError as error:
        raise _malformed(text) from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or not text.isprintable() or " " in text:
        raise _malformed(text)
    secure = parts.scheme == "https"
    port = port or (443 if secure else 80)
    path = parts.path if parts.path not in {"", "/"} else "/metrics"
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    query = f"?{parts.query}" if parts.query else ""
    headers = {"Accept": "text/plain", "User-Agent": "aipower-top"}
    if parts.username is not None:
        secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(secret.encode()).decode()}"
    shown = f"{parts.scheme}://{host}:{port}{path}"
    return Place(shown, secure, parts.hostname, port, f"{path}{query}", headers)


def _has_begun(snapshot: Snapshot) -> bool:
    """False for the empty page of an agent that is still looking for its sensors and its journal."""
    return bool(snapshot.devices) or snapshot.since_unix_s is not None


def _named(user: str) -> str:
    """The name of a user of this machine whom the agent calls by number."""
    return user_name(int(user)) if user.isascii() and user.isdigit() and len(user) <= MOST_DIGITS else user


def _malformed(text: str) -> UsageError:
    shown = "".join(char if char.isprintable() else "?" for char in text)
    return UsageError(f'--url: "{shown}" is no address of an agent; expected http://HOST:9877/metrics')


class Fetcher:
    """Fetches one page over one connection that is kept."""

    def __init__(self, place: Place, timeout_s: float = TIMEOUT_S) -> None:
        self._place = place
        self._timeout_s = timeout_s
        self._connection: http.client.HTTPConnection | None = None

    def fetch(self) -> str:
        """The page.

        Raises:
            OSError: Nobody answers, or not in time.
            http.client.HTTPException: The answer is no HTTP.
            PageError: The answer is another one than the page.
        """
        kept = self._connection is not None
        try:
            return self._ask()
        except (OSError, http.client.HTTPException):
            self.close()
            if not kept:
                raise
        except PageError:
            self.close()
            raise
        try:
            return self._ask()  # a connection that was kept may have been closed meanwhile
        except (OSError, http.client.HTTPException, PageError):
            self.close()
            raise

    def close(self) -> None:
        """Give the connection up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(self) -> str:
        connection = self._connection = self._connection or self._open()
        connection.request("GET", self._place.path, headers=dict(self._place.headers))
        answer = connection.getresponse()
        body = answer.read(MOST_BYTES + 1)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            raise PageError("it asks for a password: give it as --url http://USER:PASSWORD@HOST:PORT")
        if answer.status != HTTPStatus.OK or len(body) > MOST_BYTES:
            raise PageError(f"its answer is HTTP {answer.status}" if len(body) <= MOST_BYTES else "endless answer")
        return body.decode(errors="replace")

    def _open(self) -> http.client.HTTPConnection:
        place = self._place
        if place.secure:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(place.host, place.port, timeout=self._timeout_s, context=context)
        return http.client.HTTPConnection(place.host, place.port, timeout=self._timeout_s)


class RemoteSource:
    """Looks at an agent every `interval_s`, or more often, as watts are told from differences of a few seconds."""

    def __init__(self, place: Place, interval_s: float, clock: Clock, timeout_s: float = TIMEOUT_S) -> None:
        self.origin = Origin(
            "agent", f"agent at {place.url}", f"agent {place.host}:{place.port}", own_machine=place.own_machine
        )
        self.trouble = ""
        self.failure: AipowerError | None = None
        self.tried = threading.Event()
        """Set after the first fetch, whatever came of it."""
        self.answered = threading.Event()
        """Set once a page has come."""
        self._interval_s = min(interval_s, SELDOM_S)
        self._clock = clock
        self._fetcher = Fetcher(place, timeout_s)
        self._reader = PageReader(_named if place.own_machine else str)
        self._ticks = TickClock()
        self._started: float | None = None
        self._tick = -1
        self._looks: deque[Look] = deque(maxlen=MOST_LOOKS)
        self._stop = threading.Event()
        self._wake: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._run, name="aipower-top-agent", daemon=True)

    def start(self, wake: Callable[[], None]) -> None:
        """Begin; a second call only changes who is woken."""
        self._wake = wake
        if self._thread.ident is None:
            self._thread.start()

    def take(self) -> Sequence[Look]:
        """The looks since the last call."""
        return [self._looks.popleft() for _ in range(len(self._looks))]

    def stop(self) -> None:
        """End; a fetch under way is left to its thread."""
        self._stop.set()

    def _run(self) -> None:
        due_s = self._clock.monotonic_s()
        while not self._stop.is_set():
            self._look()
            self.tried.set()
            self._wake()
            due_s = max(due_s + self._interval_s, self._clock.monotonic_s())
            self._stop.wait(due_s - self._clock.monotonic_s())
        self._fetcher.close()

    def _look(self) -> None:
        try:
            snapshot = self._reader.read(self._fetcher.fetch(), self._clock.unix_s())
            self.trouble = "" if _has_begun(snapshot) else "it is starting and has not measured anything yet"
            if _has_begun(snapshot):
                self._keep(snapshot)
            self.answered.set()
        except (OSError, http.client.HTTPException, PageError) as error:
            self.trouble = self._told(error)

    def _keep(self, snapshot: Snapshot) -> None:
        now_s = self._clock.monotonic_s()
        stats = snapshot.agent
        if stats.started_unix_s != self._started:
            self._ticks, self._started, self._tick = TickClock(), stats.started_unix_s, -1
        tick = stats.ticks + stats.missed_ticks
        stamp_s = self._ticks.stamp_s(now_s, tick)
        if tick != self._tick:
            self._tick = tick
            self._looks.append(Look(stamp_s, snapshot, exact=False))

    @staticmethod
    def _told(error: Exception) -> str:
        if isinstance(error, PageError):
            return str(error)
        if isinstance(error, TimeoutError):
            return "it does not answer in time"
        words = getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__
        return f"it does not answer: {words}"
