"""The decision which signals to forward, without processes: a scripted witness and a clock that only tests move."""

import signal
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from aipower.run.relay import ECHO_S, GRACE_S, SI_KERNEL, Arrival, Relay
from aipower.run.witness import Origin

US, WITNESS, SHELL, OTHER = 100, 101, 50, 51
SI_USER, SI_QUEUE, SI_TIMER, SI_TKILL, SI_ASYNCIO = 0, -1, -2, -6, -4
INT, TERM, HUP, CONT, TSTP, WINCH = (
    int(number)
    for number in (
        signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCONT, signal.SIGTSTP, signal.SIGWINCH,
    )
)  # fmt: skip


class World:
    """A witness whose answers are set, and the time that the relay sees and spends."""

    def __init__(self, *answers: Sequence[Origin] | None) -> None:
        self.answers: list[Sequence[Origin] | None] = list(answers)
        self.now_s = 1000.0
        self.asked = 0
        self.slept_s = 0.0
        self.relay = Relay(self.collect, (US, WITNESS), lambda: self.now_s, self.sleep)

    def collect(self) -> Sequence[Origin] | None:
        self.asked += 1
        return self.answers.pop(0) if self.answers else ()

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        self.slept_s += seconds


def user(signo: int, sender: int = SHELL) -> Arrival:
    return Arrival(signo, SI_USER, sender)


def kernel(signo: int) -> Arrival:
    return Arrival(signo, SI_KERNEL, 0)


def test_nothing_arrived_and_nobody_is_asked() -> None:
    world = World()
    assert world.relay.to_forward([]) == []
    assert world.asked == 0


def test_signal_that_the_witness_did_not_get_is_forwarded_after_a_second_question() -> None:
    world = World()
    assert world.relay.to_forward([user(TERM)]) == [TERM]
    assert (world.asked, world.slept_s) == (2, GRACE_S)


def test_signal_that_the_witness_got_is_not_and_costs_no_time() -> None:
    world = World([(TERM, SHELL)])
    assert world.relay.to_forward([user(TERM)]) == []
    assert (world.asked, world.slept_s) == (1, 0)


def test_witness_that_got_it_a_little_later() -> None:
    assert World([], [(TERM, SHELL)]).relay.to_forward([user(TERM)]) == []


def test_same_signal_of_another_sender_is_another() -> None:
    assert World([(TERM, OTHER)]).relay.to_forward([user(TERM)]) == [TERM]


def test_terminal_is_never_forwarded() -> None:
    assert World().relay.to_forward([kernel(INT), kernel(TSTP), kernel(WINCH)]) == []


def test_terminal_then_kill_of_the_same_number() -> None:
    world = World([(INT, 0)])
    assert world.relay.to_forward([kernel(INT)]) == []
    assert world.relay.to_forward([user(INT)]) == [INT]


def test_hang_up_of_the_leader_alone_is_forwarded() -> None:
    assert World().relay.to_forward([kernel(HUP), kernel(CONT)]) == [HUP, CONT]


def test_hang_up_of_leader_and_group_is_not_though_its_signers_differ() -> None:
    assert World([(HUP, OTHER)]).relay.to_forward([kernel(HUP)]) == []


def test_hang_up_without_witness_is_left_to_the_kernel() -> None:
    assert World(None).relay.to_forward([kernel(HUP)]) == []


def test_without_witness_what_people_send_is_forwarded_at_once() -> None:
    world = World(None)
    assert world.relay.to_forward([user(TERM), kernel(INT), user(INT)]) == [TERM, INT]
    assert world.slept_s == 0


def test_our_own_and_the_witness_signals_are_nobodys() -> None:
    world = World()
    assert world.relay.to_forward([user(CONT, US), user(CONT, WITNESS)]) == []
    assert world.asked == 0


def test_sender_outside_the_container_has_no_pid() -> None:
    assert World().relay.to_forward([user(TERM, 0)]) == [TERM]


def test_timers_and_finished_input_are_not_messages() -> None:
    codes = (SI_TIMER, SI_ASYNCIO, 1)
    assert World().relay.to_forward([Arrival(TERM, code, SHELL) for code in codes]) == []
    assert World().relay.to_forward([Arrival(TERM, code, SHELL) for code in (SI_QUEUE, SI_TKILL)]) == [TERM, TERM]


def test_echo_of_a_group_signal_is_part_of_it() -> None:
    world = World([(TERM, SHELL)])
    assert world.relay.to_forward([user(TERM)]) == []
    world.now_s += ECHO_S * 0.9
    assert world.relay.to_forward([user(TERM)]) == []
    world.now_s += ECHO_S
    assert world.relay.to_forward([user(TERM)]) == [TERM]


def test_word_of_the_witness_waits_for_our_copy() -> None:
    world = World([(INT, SHELL), (TERM, SHELL)])
    assert world.relay.to_forward([user(INT)]) == []
    world.now_s += 0.5
    assert world.relay.to_forward([user(TERM)]) == []


def test_word_of_the_witness_does_not_wait_for_ever() -> None:
    world = World([(INT, SHELL), (TERM, SHELL)])
    assert world.relay.to_forward([user(INT)]) == []
    world.now_s += 5
    assert world.relay.to_forward([user(TERM)]) == [TERM]


def test_stop_that_a_later_continue_cancelled_is_not_forwarded() -> None:
    assert World([(CONT, SHELL)]).relay.to_forward([user(TSTP)]) == []
    assert World([(CONT, SHELL)]).relay.to_forward([user(TERM)]) == [TERM]


def test_refresh_keeps_what_it_learns() -> None:
    world = World([(CONT, SHELL)])
    world.relay.refresh()
    assert world.relay.to_forward([user(CONT)]) == []
    assert world.slept_s == 0


SIGNALS = st.sampled_from([HUP, INT, TERM, CONT, WINCH, 34, 64])
SENT = st.tuples(SIGNALS, st.sampled_from([SHELL, OTHER, 0]), st.booleans())


@given(st.lists(SENT))
def test_signals_one_at_a_time_arrive_exactly_once(sent: list[tuple[int, int, bool]]) -> None:
    world = World()
    for signo, sender, to_group in sent:
        world.answers = [[(signo, sender)]] if to_group else []
        forwarded = world.relay.to_forward([user(signo, sender)])
        assert forwarded == ([] if to_group else [signo])
        world.now_s += 2


@given(st.lists(SENT, unique_by=lambda sent: sent[:2]))
def test_different_signals_all_at_once_arrive_exactly_once_in_order(sent: list[tuple[int, int, bool]]) -> None:
    world = World([(signo, sender) for signo, sender, to_group in sent if to_group])
    alone = [signo for signo, _, to_group in sent if not to_group]
    assert world.relay.to_forward([user(signo, sender) for signo, sender, _ in sent]) == alone


@given(st.lists(SENT), st.lists(st.one_of(st.none(), st.lists(st.tuples(SIGNALS, st.just(SHELL))))))
def test_nothing_is_ever_invented(sent: list[tuple[int, int, bool]], answers: list[list[Origin] | None]) -> None:
    forwarded = World(*answers).relay.to_forward([user(signo, sender) for signo, sender, _ in sent])
    remaining = iter([signo for signo, _, _ in sent])
    assert all(signo in remaining for signo in forwarded)
