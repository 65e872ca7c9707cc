"""`sync=`: waited for at both ends of a phase, only when somebody listens, without importing anything."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest

import aipower
from phases.receiver import Receiver


def test_a_function_is_called_at_both_ends(receiver: Receiver) -> None:
    seen: list[list[str]] = []
    with aipower.phase("gpu", sync=lambda: seen.append(receiver.brief())):
        pass
    # The first wait is before the phase begins, the last before it ends.
    assert seen == [[], ["B gpu"]]
    assert receiver.brief() == ["E"]


@pytest.mark.usefixtures("alone")
def test_nobody_waits_when_nobody_listens() -> None:
    seen: list[int] = []
    with aipower.phase("gpu", sync=lambda: seen.append(1)):
        pass
    assert not seen


def test_what_a_wait_raises_does_not_end_the_program(receiver: Receiver) -> None:
    def fail() -> None:
        raise RuntimeError("CUDA error: device-side assert triggered")

    with aipower.phase("gpu", sync=fail):
        pass
    assert receiver.brief() == ["B gpu", "E"]


@pytest.mark.parametrize("framework", ["torch", "jax", "cupy"])
def test_nothing_is_imported(receiver: Receiver, framework: str) -> None:
    script = (
        "import aipower, sys\n"
        f"with aipower.phase('gpu', sync={framework!r}): pass\n"
        f"assert {framework!r} not in sys.modules"
    )
    environment = {"AIPOWER_PHASES": receiver.told()}
    subprocess.run([sys.executable, "-c", script], env=environment, check=True, timeout=60)
    assert receiver.brief() == ["B gpu", "E"]


class Cuda:
    """torch.cuda, as far as it is used; a real one is in tests/gpu."""

    def __init__(self, *, initialized: bool = True, capturing: bool = False) -> None:
        self.initialized, self.capturing = initialized, capturing
        self.waited: list[int | None] = []

    def is_initialized(self) -> bool:
        return self.initialized

    def is_current_stream_capturing(self) -> bool:
        return self.capturing

    def device_count(self) -> int:
        return 3

    def synchronize(self, device: int | None) -> None:
        self.waited.append(device)


def use_torch(monkeypatch: pytest.MonkeyPatch, cuda: Cuda, bindings: object) -> None:
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda, _C=bindings))


@pytest.mark.usefixtures("receiver")
def test_torch_waits_for_the_devices_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = Cuda()
    use_torch(monkeypatch, cuda, SimpleNamespace(_cuda_hasPrimaryContext=lambda index: index != 1))
    with aipower.phase("gpu", sync="torch"):
        pass
    assert cuda.waited == [0, 2, 0, 2]


@pytest.mark.usefixtures("receiver")
@pytest.mark.parametrize("cuda", [Cuda(initialized=False), Cuda(capturing=True)])
def test_torch_is_left_alone(monkeypatch: pytest.MonkeyPatch, cuda: Cuda) -> None:
    use_torch(monkeypatch, cuda, SimpleNamespace())
    with aipower.phase("gpu", sync="torch"):
        pass
    assert cuda.waited == []


@pytest.mark.usefixtures("receiver")
def test_torch_without_its_inner_function(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = Cuda()
    use_torch(monkeypatch, cuda, SimpleNamespace())
    with aipower.phase("gpu", sync="torch"):
        pass
    assert cuda.waited == [None, None]


@pytest.mark.usefixtures("receiver")
def test_cupy(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[int] = []
    runtime = SimpleNamespace(deviceSynchronize=lambda: waited.append(1))
    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace(cuda=SimpleNamespace(runtime=runtime)))
    with aipower.phase("gpu", sync="cupy"):
        pass
    assert waited == [1, 1]


@pytest.mark.parametrize("wrong", ["tensorflow", 3, b"torch"])
@pytest.mark.parametrize("around", ["alone", "receiver"])
def test_an_unknown_word_is_told_with_and_without_a_run(
    wrong: object, around: str, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(around)
    with pytest.raises(TypeError, match="sync must be one of torch, jax, cupy, a function or None"):
        aipower.phase("gpu", sync=wrong)  # type: ignore[call-overload]
