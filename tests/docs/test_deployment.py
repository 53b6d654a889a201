"""What an image and a deployment are made from, as far as it can be told without an engine that runs them."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
PIN = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)


def pins(lock: str) -> dict[str, str]:
    return dict(PIN.findall((ROOT / lock).read_text()))


def test_a_wheel_is_built_with_what_the_tests_have() -> None:
    build, test = pins("requirements-build.lock"), pins("requirements-test.lock")
    assert {"setuptools", "mypy"} <= build.keys()
    assert build.items() <= test.items()


def test_every_file_that_the_image_copies_is_sent_to_its_build() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    sent = (ROOT / ".dockerignore").read_text().splitlines()
    for name in " ".join(copied).split():
        assert (ROOT / name).exists()
        assert f"!{name}" in sent


def test_compose_asks_each_worker_for_its_health() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    ours = {name: service for name, service in services.items() if service["image"] == "bonus-stream"}
    assert set(ours) == {"topics", "worker"}
    *_, asked = ours["worker"]["healthcheck"]["test"]
    compile(asked, "healthcheck", "exec")
    assert f":{ours['worker']['environment']['BONUS_HTTP_PORT']}/health" in asked
