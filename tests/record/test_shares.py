"""Adding up what a run used of its devices."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aipower.books.uncertainty import Error, Exposure, scale_of
from aipower.calibration.default import default_calibration
from aipower.model import Calibration, Device, Kind
from aipower.record.shares import Range, Share

DEVICES: list[tuple[Kind, str]] = [("gpu", "a"), ("gpu", "b"), ("cpu", "c")]
METER = Calibration(source="a meter", gain_se=0.001)


def error(kind: Kind, device: str, *, calibrated: bool, own_uj: float, energy_j: float) -> Error:
    scale = scale_of(Device(device, kind, "", "0"), METER if calibrated else default_calibration(kind))
    return Error(own_uj**2, {scale: Exposure(1e6 * energy_j, 2.0)})


@st.composite
def shares(draw: st.DrawFn) -> Share:
    whole_j = draw(st.floats(0.001, 1e6))
    own_j = whole_j * draw(st.floats(0, 1))
    kind, device = draw(st.sampled_from(DEVICES))
    calibrated, own_uj = draw(st.booleans()), draw(st.floats(0, 1e9))
    own = error(kind, device, calibrated=calibrated, own_uj=own_uj, energy_j=own_j)
    whole = error(kind, device, calibrated=calibrated, own_uj=own_uj, energy_j=whole_j)
    hidden_j = draw(st.floats(0, whole_j))
    return Share(Range(own_j, own, hidden_j / 2, hidden_j), Range(whole_j, whole))


@given(shares())
def test_the_total_of_one_device_is_its_own(share: Share) -> None:
    total = sum([share], Share())
    assert (total.absolute_j, total.repeatable_j) == (share.absolute_j, share.repeatable_j)


@given(st.lists(shares(), min_size=1, max_size=5))
def test_every_interval_holds_its_energy_and_the_absolute_one_the_repeatable(found: list[Share]) -> None:
    total = sum(found, Share())
    slack_j = 1e-9 * total.whole.energy_j
    (low_j, high_j), (inner_low_j, inner_high_j) = total.absolute_j, total.repeatable_j
    assert 0 <= low_j <= inner_low_j + slack_j
    assert inner_low_j - slack_j <= total.own.energy_j <= inner_high_j + slack_j
    assert inner_high_j <= high_j + slack_j


@given(st.lists(shares(), min_size=1, max_size=5))
def test_a_total_is_never_wider_than_all_ends_added_up(found: list[Share]) -> None:
    """Upwards; downwards a part that cannot be less than nothing hides how far its error goes."""
    total = sum(found, Share())
    assert total.absolute_j[1] <= sum(share.own.absolute_j[1] for share in found) * (1 + 1e-9)
    assert total.absolute_j[1] <= total.whole.absolute_j[1]
