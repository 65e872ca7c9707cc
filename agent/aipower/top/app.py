"""The screen that goes on: keys, new figures, a new size."""

from __future__ import annotations

import os
import signal

from aipower.seams import Clock
from aipower.top.look import Source
from aipower.top.painter import Painter
from aipower.top.rows import Picture
from aipower.top.screen import Screen, draw
from aipower.top.terminal import Happened, Terminal
from aipower.top.view import View, press
from aipower.top.watcher import Wanted, Watcher

CLOCK_S = 1.0
"""The time in the first line goes on even where nothing is new."""


class App:
    """`aipower top` on a terminal."""

    def __init__(self, source: Source, terminal: Terminal, painter: Painter, clock: Clock, view: View) -> None:
        self._source = source
        self._terminal = terminal
        self._painter = painter
        self._clock = clock
        self._view = view
        self._picture: Picture | None = None
        self._wanted = Wanted()
        self._resets = view.resets
        self._screen: Screen | None = None

    def run(self, watcher: Watcher, interval_s: float) -> int:
        """Until the person has had enough: 0, or the number of the signal that ended it, negative.

        Raises:
            AipowerError: Nothing can be measured.
        """
        with self._terminal.on():
            self._source.start(self._terminal.wake)
            due_s = 0.0
            while not self._view.ended:
                if self._source.failure is not None:
                    raise self._source.failure
                now_s = self._clock.monotonic_s()
                new = watcher.take(held=self._view.paused)
                if (new and now_s >= due_s) or self._picture is None:
                    due_s = now_s + 0.9 * interval_s
                    self._renew(watcher)
                self._show(watcher)
                happened = self._terminal.wait(CLOCK_S)
                if happened.signalled:
                    return -happened.signalled
                if happened.hung_up:
                    return -signal.SIGHUP
                self._react(happened, watcher)
        return 0

    def _renew(self, watcher: Watcher) -> None:
        self._wanted = Wanted(self._view.scope, self._view.whole)
        self._picture = watcher.picture(self._wanted)

    def _show(self, watcher: Watcher) -> None:
        self._screen = draw(self._picture, self._view, watcher.around(), *self._terminal.size())
        self._view = self._screen.view
        drawn = self._painter.paint(self._screen.lines)
        if drawn:
            self._terminal.write(drawn)

    def _react(self, happened: Happened, watcher: Watcher) -> None:
        if happened.resized or "ctrl-l" in happened.keys:
            self._painter.forget()
        for key in happened.keys:
            if self._screen is not None:
                self._view = press(self._view, key, self._screen.stage)
        if self._view.resets != self._resets:
            self._resets = self._view.resets
            watcher.watch.reset()
            self._renew(watcher)
        elif self._wanted != Wanted(self._view.scope, self._view.whole):
            self._renew(watcher)


def end_by(number: int) -> None:
    """End this process by the signal `number`, as its sender expects."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
