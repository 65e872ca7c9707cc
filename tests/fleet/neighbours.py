"""What else such a cluster's Prometheus has: the inference servers' own metrics, under their own names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fleet.pages import Page, sample
from fleet.plan import HOUR_S, START_UNIX_S


@dataclass(frozen=True, slots=True)
class Server:
    """An inference server that works evenly since it began."""

    prefix: str
    pod: str
    model: str
    begin_h: float
    generated_per_s: float
    prompted_per_s: float
    extra: tuple[tuple[str, str], ...]
    instance: str = "10.42.3.17:8000"

    def labels(self) -> dict[str, str]:
        """As a PodMonitor would have them."""
        target = {"namespace": "serving", "pod": self.pod, "container": self.prefix, "instance": self.instance}
        return {"job": f"serving/{self.prefix}", **target, "model_name": self.model, **dict(self.extra)}

    def page(self, at_s: float) -> Page:
        """Its page at `at_s` of the story; empty before it began."""
        return Page(START_UNIX_S + at_s, "\n".join(self._lines(at_s)))

    def _lines(self, at_s: float) -> Iterator[str]:
        lived_s = at_s - self.begin_h * HOUR_S
        if lived_s < 0:
            return
        at_unix_s, labels = START_UNIX_S + at_s, self.labels()
        for name, per_s in (("generation", self.generated_per_s), ("prompt", self.prompted_per_s)):
            yield sample(f"{self.prefix}:{name}_tokens_total", labels, per_s * lived_s, at_unix_s)
        running = {"vllm": "num_requests_running", "sglang": "num_running_reqs"}[self.prefix]
        yield sample(f"{self.prefix}:{running}", labels, 12.0, at_unix_s)
        yield sample("up", {"instance": self.instance, "job": labels["job"]}, 1.0, at_unix_s)


SGLANG_LABELS = (("engine_type", "unified"), ("tp_rank", "0"), ("pp_rank", "0"))
SERVERS = (
    Server("vllm", "vllm-llama-0", "meta-llama/Llama-3.1-8B-Instruct", 0.5, 2000.0, 6000.0, (("engine", "0"),)),
    Server(
        "sglang", "sglang-qwen-0", "Qwen/Qwen2.5-7B-Instruct", 17.0, 1500.0, 3000.0, SGLANG_LABELS, "10.42.3.18:30000"
    ),
)
