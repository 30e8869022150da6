"""The manifests of the cluster: what they refer to exists, nobody is root, and only what hangs is started again."""

from datetime import timedelta
from typing import Any

import pytest

from tests.contract.deployment import DEPLOY, MANIFESTS, Json, documents, objects, one_of_kind
from theseus.config import Settings

Env = dict[str, str]

APPS = ("theseus-worker", "theseus-gateway")


@pytest.fixture(params=APPS)
def app(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def pod(app: str) -> Json:
    return one_of_kind("Deployment", app)["spec"]["template"]["spec"]


@pytest.fixture
def env(app: str) -> Env:
    return one_of_kind("ConfigMap")["data"] | one_of_kind("Secret", app)["stringData"]


def _ports(pod: Json) -> dict[str, int]:
    (container,) = pod["containers"]
    return {port["name"]: port["containerPort"] for port in container["ports"]}


def _port(address: str | None) -> int:
    assert address is not None
    host, _, port = address.rpartition(":")
    assert host == "0.0.0.0", "inside a container, others ask from outside"
    return int(port)


def test_settings_are_valid_and_leave_time_to_stop(pod: Json, env: Env, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert timedelta(seconds=pod["terminationGracePeriodSeconds"]) > settings.shutdown_grace + timedelta(seconds=5)
    assert not settings.skip_auth and settings.database_url is not None
    (container,) = pod["containers"]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounts["workspaces"] == str(settings.data_dir)


def test_a_worker_listens_where_its_settings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in one_of_kind("ConfigMap")["data"].items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    pod = one_of_kind("Deployment")["spec"]["template"]["spec"]
    assert _ports(pod) == {"health": _port(settings.health_address), "metrics": _port(settings.metrics_address)}


def test_a_gateway_listens_where_its_service_sends_and_has_no_model_s_key() -> None:
    pod = one_of_kind("Deployment", "theseus-gateway")["spec"]["template"]["spec"]
    command: list[str] = pod["containers"][0]["command"]
    given = dict(zip(command[2::2], command[3::2], strict=True))
    assert command[:2] == ["theseus", "gateway"] and given["--host"] == "0.0.0.0"
    assert _ports(pod) == {"http": int(given["--port"]), "grpc": int(given["--grpc-port"])}
    assert {port["targetPort"] for port in one_of_kind("Service", "theseus-gateway")["spec"]["ports"]} == set(
        _ports(pod)
    )
    assert not {name for name in one_of_kind("Secret", "theseus-gateway")["stringData"] if name.endswith("_API_KEY")}
    for mount in pod["containers"][0]["volumeMounts"]:
        assert mount.get("readOnly") or mount["name"] == "scratch"


def test_only_ports_that_are_listened_on_are_open(app: str, pod: Json) -> None:
    (rule,) = one_of_kind("NetworkPolicy", app)["spec"]["ingress"]
    assert {port["port"] for port in rule["ports"]} == set(_ports(pod).values())


def test_probes_restart_only_what_hangs(app: str, pod: Json) -> None:
    (container,) = pod["containers"]
    probes: dict[str, Any] = {name: container[f"{name}Probe"] for name in ("startup", "readiness", "liveness")}
    asked = {name: tuple(probe["httpGet"].values()) for name, probe in probes.items()}
    health, ready = ("/healthz", "health"), ("/healthz", "health")
    if app == "theseus-gateway":
        health, ready = ("/health", "http"), ("/readiness", "http")
    assert asked == {"startup": health, "readiness": ready, "liveness": health}
    patience = {name: probe["periodSeconds"] * probe["failureThreshold"] for name, probe in probes.items()}
    assert patience["startup"] > 30, "it waits 30 s for Temporal"
    if health == ready:
        assert patience["liveness"] >= 300, "an outage of Temporal must not restart all workers"


def test_pods_are_locked_down(pod: Json) -> None:
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"]
    assert (pod["securityContext"]["runAsUser"], pod["securityContext"]["fsGroup"]) == (10001, 10001)


def test_what_a_pod_refers_to_exists(pod: Json) -> None:
    names = {(one["kind"], one["metadata"]["name"]) for one in objects()}
    (container,) = pod["containers"]
    sources = {kind for source in container["envFrom"] for kind in source}
    assert sources == {"configMapRef", "secretRef"}
    for source in container["envFrom"]:
        for kind, reference in source.items():
            assert ({"configMapRef": "ConfigMap", "secretRef": "Secret"}[kind], reference["name"]) in names
    assert ("ServiceAccount", pod["serviceAccountName"]) in names
    volumes: dict[str, Json] = {volume["name"]: volume for volume in pod["volumes"]}
    assert ("PersistentVolumeClaim", volumes["workspaces"]["persistentVolumeClaim"]["claimName"]) in names
    assert volumes["files"]["configMap"]["optional"] is True, "only who has such files makes the map"
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    assert ("Deployment", one_of_kind("HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]["name"]) in names


def test_selectors_choose_the_pods_that_they_are_for(app: str) -> None:
    labels = one_of_kind("Deployment", app)["spec"]["template"]["metadata"]["labels"]
    chosen = [
        one_of_kind("Deployment", app)["spec"]["selector"]["matchLabels"],
        one_of_kind("PodDisruptionBudget", app)["spec"]["selector"]["matchLabels"],
        one_of_kind("NetworkPolicy", app)["spec"]["podSelector"]["matchLabels"],
        one_of_kind("Service", app)["spec"]["selector"],
    ]
    assert all(selector.items() <= labels.items() for selector in chosen)


def test_one_owner_of_the_number_of_workers() -> None:
    assert "replicas" not in one_of_kind("Deployment")["spec"], "applying it would undo the autoscaler"
    assert one_of_kind("HorizontalPodAutoscaler")["spec"]["minReplicas"] >= 2


def test_kustomize_applies_every_manifest_but_the_example_secret() -> None:
    (kustomization,) = documents(DEPLOY / "kubernetes" / "kustomization.yaml")
    assert sorted(kustomization["resources"]) == [path.name for path in MANIFESTS if path.name != "secret.example.yaml"]
    spaces = {one["metadata"].get("namespace") for one in objects() if one["kind"] != "Namespace"}
    assert spaces == {kustomization["namespace"]}


def test_no_manifest_holds_a_real_key() -> None:
    values = [value for one in objects() if one["kind"] == "Secret" for value in one["stringData"].values()]
    assert values and all("change-me" in value for value in values)
