"""A long run takes no more memory than a short one."""

from __future__ import annotations

from aipower.model import Attribution, EnergyDelta
from aipower.record.phases.book import PhaseBook, Sensed
from fakes import GPU, process
from record.phases.told import PID, begin, end, marks

WAITING = 20


def _size(book: PhaseBook) -> tuple[int, int, int, int]:
    device = book._devices["GPU-0"]
    (teller,) = book._marks.tellers.values()
    return len(device.waiting), device.cut.numbers, len(teller._done), len(book.parts)


def test_what_grows_is_bounded_by_what_waits() -> None:
    heard = marks(begin(0.0, 1, "epoch"), start_s=0.0)
    book, sizes, id_ = PhaseBook(heard), [], 1
    for second in range(400):
        for step in range(10):
            id_, at_s = id_ + 2, second + step / 10
            heard.feed(begin(at_s, id_, "step", parent=1) + begin(at_s, id_ + 1, "forward", parent=id_))
            heard.feed(end(at_s + 0.05, id_ + 1) + end(at_s + 0.09, id_))
        pieces = [EnergyDelta(GPU, second + k / 10, second + (k + 1) / 10, 25_000_000) for k in range(10)]
        book.taken(EnergyDelta(GPU, second, second + 1.0, 250_000_000), pieces, Sensed(0.001))
        if second >= WAITING:
            old = EnergyDelta(GPU, second - WAITING, second - WAITING + 1.0, 250_000_000)
            book.posted(Attribution(old, 50_000_000, {}, {process(PID): 200_000_000}, 0), {PID: 200_000_000})
        if second % 100 == 99:
            sizes.append(_size(book))
    assert max(sizes) == min(sizes)
    assert heard.tallies["epoch", "step"].count == 4000
