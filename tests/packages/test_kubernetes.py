"""The manifests, against the schemas of Kubernetes' own API (strict: no field that it does not know)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]  # it has no types
import pytest
import yaml

from aipower import __version__
from aipower.sensors.select import POWERCAP_VARIABLE
from aipower.settings.config import AgentConfig
from packages.tools import ROOT

BASE = ROOT / "deploy/kubernetes/base"
NVIDIA = ROOT / "deploy/kubernetes/overlays/nvidia"
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
