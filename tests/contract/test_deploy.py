"""What is deployed fits its schemas and fits the worker: no unknown setting, no kill before the grace period, no root."""

import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from tests.contract.deployment import (
    DEPLOY,
    MANIFESTS,
    Instruction,
    Json,
    compose,
    compose_variables,
    example_env,
    filled,
    one_of_kind,
    seconds,
    stages,
)
from tests.contract.source_tree import ROOT, SOURCE
from theseus.config import Settings

KUBERNETES = "1.37.0"
TEMPORAL_VARIABLES = {"TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "TEMPORAL_API_KEY"}

Env = dict[str, str]


@pytest.fixture(scope="module")
def build() -> list[list[Instruction]]:
    return stages((DEPLOY / "Dockerfile").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def image_env(build: list[list[Instruction]]) -> Env:
    words = [word for line in build[-1] if line.word == "ENV" for word in line.words]
    return dict(word.split("=", 1) for word in words)


@pytest.fixture
def worker() -> Json:
    return compose()["services"]["worker"]


@pytest.fixture
def gateway() -> Json:
    return compose()["services"]["gateway"]


@pytest.fixture
def pod() -> Json:
    return one_of_kind("Deployment")["spec"]["template"]["spec"]


def _validates(*command: str) -> None:
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _check_compose(path: Path) -> None:
    _validates("check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(path))


def _check_manifest(path: Path) -> None:
    _validates("kubernetes_validate", "--strict", "--kubernetes-version", KUBERNETES, str(path))


def _known_variables() -> set[str]:
    catalogue = yaml.safe_load((SOURCE / "models.yaml").read_text(encoding="utf-8"))
    of_models = {
        one[key] for one in catalogue["providers"] for key in ("key_variable", "base_url_variable") if key in one
    }
    fields = Settings.model_fields.items()
    of_settings = {str(field.validation_alias or f"THESEUS_{name.upper()}") for name, field in fields}
    return of_models | of_settings | TEMPORAL_VARIABLES


def _settings(env: Env, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    return Settings()


def _port(address: str | None) -> int:
    assert address is not None
    host, _, port = address.rpartition(":")
    assert host == "0.0.0.0", "inside a container, others ask from outside"
    return int(port)


# schemas


def test_the_compose_file_fits_the_compose_specification() -> None:
    _check_compose(DEPLOY / "compose.yaml")


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_a_manifest_fits_the_schemas_of_kubernetes(path: Path) -> None:
    _check_manifest(path)


def test_the_schemas_find_a_wrong_key(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text((DEPLOY / "compose.yaml").read_text(encoding="utf-8").replace("stop_grace_period", "stop_grace"))
    with pytest.raises(AssertionError, match="stop_grace"):
        _check_compose(wrong)
    text = (DEPLOY / "kubernetes" / "worker.yaml").read_text(encoding="utf-8")
    wrong.write_text(text.replace("terminationGracePeriodSeconds", "gracePeriodSeconds"))
    with pytest.raises(AssertionError, match="gracePeriodSeconds"):
        _check_manifest(wrong)


# the image


def test_the_image_is_built_in_stages_and_leaves_the_tools_behind(build: list[list[Instruction]]) -> None:
    assert len(build) == 2
    final = [line for line in build[-1] if line.word == "RUN"]
    assert not any(re.search(r"\b(pip|uv|apt-get)\b", line.rest) for line in final)


def test_the_image_installs_pinned_packages_only(build: list[list[Instruction]]) -> None:
    commands = [part.strip() for line in build[0] if line.word == "RUN" for part in line.rest.split("&&")]
    installs = [command for command in commands if re.search(r"\binstall\b", command)]
    assert installs
    for command in installs:
        assert "--no-deps" in command
        assert "--require-hashes" in command or "--no-index" in command, command


def test_what_the_image_copies_exists_and_is_not_ignored(build: list[list[Instruction]]) -> None:
    let_through = {
        line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line.startswith("!")
    }
    copied = [
        source
        for stage in build
        for line in stage
        if line.word in {"COPY", "ADD"} and "from" not in line.flags
        for source in line.words[:-1]
    ]
    assert copied
    for source in copied:
        assert (ROOT / source).exists(), source
    assert set(copied) == let_through


def test_the_image_copies_only_from_stages_that_exist(build: list[list[Instruction]]) -> None:
    named = {stage[0].words[-1] for stage in build}
    taken = {line.flags["from"] for stage in build for line in stage if "from" in line.flags}
    assert taken <= named


def test_the_image_runs_the_worker_as_nobody_special(build: list[list[Instruction]], pod: Json) -> None:
    users = [line.rest for line in build[-1] if line.word == "USER"]
    assert users == ["10001:10001"], "a number above the system's users, set last and once"
    assert [line.rest for line in build[-1] if line.word == "CMD"] == ['["theseus", "worker"]']
    assert pod["securityContext"]["runAsUser"] == 10001
    assert pod["securityContext"]["fsGroup"] == 10001


def test_the_health_check_asks_where_the_worker_answers(build: list[list[Instruction]], image_env: Env) -> None:
    (check,) = [line for line in build[-1] if line.word == "HEALTHCHECK"]
    assert "/healthz" in check.rest
    assert "THESEUS_HEALTH_ADDRESS" in check.rest
    exposed = {int(port) for line in build[-1] if line.word == "EXPOSE" for port in line.words}
    assert exposed == {_port(image_env["THESEUS_HEALTH_ADDRESS"]), _port(image_env["THESEUS_METRICS_ADDRESS"])}


def test_the_image_logs_at_once_and_writes_only_to_its_volume(image_env: Env, build: list[list[Instruction]]) -> None:
    assert image_env["PYTHONUNBUFFERED"] == "1"
    (volume,) = [line.rest for line in build[-1] if line.word == "VOLUME"]
    assert volume == f'["{image_env["THESEUS_DATA_DIR"]}"]'


# settings


def test_nobody_is_given_a_setting_that_there_is_not(image_env: Env, worker: Json, gateway: Json) -> None:
    python = {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}
    given = set(image_env) | set(worker["environment"]) | set(gateway["environment"])
    given |= set(one_of_kind("ConfigMap")["data"])
    given |= {name for one in ("worker", "gateway") for name in one_of_kind("Secret", f"theseus-{one}")["stringData"]}
    assert given - python - _known_variables() == set()


def test_the_image_s_settings_are_valid(image_env: Env, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _settings(image_env, monkeypatch).data_dir.is_absolute(), "what is kept has a volume"


def test_the_compose_file_s_settings_are_valid(worker: Json, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = _settings({name: filled(value) for name, value in worker["environment"].items()}, monkeypatch)
    assert settings.fetch_allow == (), "nothing private is open unless asked for"
    files = (settings.mcp_file, settings.openapi_file, settings.tenant_tools, settings.corpus_dir, settings.models_file)
    assert files == (None,) * 5, "an empty variable is as good as none"
    assert settings.approvals == Settings().approvals
    assert timedelta(seconds=seconds(worker["stop_grace_period"])) > settings.shutdown_grace + timedelta(seconds=5)


def test_the_compose_file_s_gateway_is_shut_unless_it_is_opened(gateway: Json, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = _settings({name: filled(value) for name, value in gateway["environment"].items()}, monkeypatch)
    assert (settings.skip_auth, settings.registration, settings.jwt_secret) == (False, False, None)
    assert settings.rate_limit == Settings().rate_limit and settings.cors == ()
    assert timedelta(seconds=seconds(gateway["stop_grace_period"])) > settings.shutdown_grace + timedelta(seconds=5)


def test_gateway_and_workers_share_queue_stores_and_archive(worker: Json, gateway: Json) -> None:
    for name in ("TEMPORAL_NAMESPACE", "THESEUS_TASK_QUEUE", "REDIS_URL", "DATABASE_URL", "THESEUS_TENANT_TOOLS"):
        assert worker["environment"][name] == gateway["environment"][name]
    assert not {name for name in gateway["environment"] if name.endswith("_API_KEY")}, "it calls no model"
    assert "workspaces:/var/lib/theseus:ro" in gateway["volumes"]
    assert "workspaces:/var/lib/theseus" in worker["volumes"]


def test_the_gateway_listens_where_its_ports_and_its_health_check_are(gateway: Json) -> None:
    listens = set(gateway["command"][gateway["command"].index("--port") + 1 :: 2])
    assert gateway["command"][:4] == ["theseus", "gateway", "--host", "0.0.0.0"]
    assert {port.rpartition(":")[2] for port in gateway["ports"]} == listens == {"8080", "50052"}
    assert "http://127.0.0.1:8080/readiness" in gateway["healthcheck"]["test"][-1]


def test_every_variable_of_the_compose_file_is_told_with_its_default() -> None:
    assert {name: {value} for name, value in example_env().items()} == compose_variables()


# the compose file


def test_a_service_depends_only_on_services_that_can_get_there() -> None:
    services: dict[str, Json] = compose()["services"]
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            assert other in services, f"{name} depends on {other}"
            if how["condition"] == "service_healthy":
                assert "healthcheck" in services[other], f"{other} has no health check for {name} to wait for"


def test_named_volumes_and_configs_are_declared_and_used() -> None:
    file = compose()
    services: list[Json] = list(file["services"].values())
    mounted = [volume.split(":")[0] for service in services for volume in service.get("volumes", [])]
    volumes = {volume for volume in mounted if not volume.startswith("./")}
    configs = {config["source"] for service in services for config in service.get("configs", [])}
    assert volumes == set(file["volumes"])
    assert configs == set(file["configs"])


def test_servers_without_a_password_listen_on_the_loopback() -> None:
    ports = [filled(port) for service in compose()["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    taken = [port.split(":")[1] for port in ports]
    assert len(set(taken)) == len(taken), "each has a port of its own"


def test_redis_keeps_what_it_was_given() -> None:
    command: list[str] = compose()["services"]["redis"]["command"]
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert options["--appendonly"] == "yes"
    assert options["--maxmemory-policy"] == "noeviction"
    assert compose()["services"]["redis"]["volumes"]


@pytest.mark.parametrize("name", ["worker", "gateway"])
def test_what_is_ours_is_locked_down_and_built_here(name: str) -> None:
    service = compose()["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["build"], "an image that is built here is on no registry to be pulled from"


def test_workers_of_the_compose_file_are_many(worker: Json) -> None:
    assert int(filled(worker["deploy"]["replicas"])) >= 2
    assert "container_name" not in worker, "a name of its own would forbid a second replica"
    assert "ports" not in worker, "a port of the machine would forbid a second replica"
