"""The rights that docs/security.md tells operators to grant, read from its very commands."""

import argparse
import shlex
from pathlib import Path

from confluent_kafka.admin._acl import AclBinding, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType

PAGE = (Path(__file__).parents[2] / "docs" / "security.md").read_text(encoding="utf-8")

_OPERATIONS = {
    "Read": AclOperation.READ,
    "Write": AclOperation.WRITE,
    "DescribeConfigs": AclOperation.DESCRIBE_CONFIGS,
}


def rights_in_kafka(user: str, *, group: str = "bonus", prefix: str = "") -> list[AclBinding]:
    """What the page's commands grant the user ``bonus``, for a user, a group and a topic prefix of a test's own."""
    commands = [line.removeprefix("$acls ") for line in PAGE.splitlines() if line.startswith("$acls ")]
    return [right for command in commands for right in _rights(command, user, group, prefix)]


def _rights(command: str, user: str, group: str, prefix: str) -> list[AclBinding]:
    parser = argparse.ArgumentParser()
    for option in ("--operation", "--topic", "--group", "--transactional-id"):
        parser.add_argument(option, action="append", default=[])
    parser.add_argument("--resource-pattern-type", default="literal")
    given = parser.parse_args(shlex.split(command))
    resources = [
        *((ResourceType.TOPIC, prefix + name) for name in given.topic),
        *((ResourceType.GROUP, name.replace("bonus", group)) for name in given.group),
        *((ResourceType.TRANSACTIONAL_ID, name.replace("bonus", group)) for name in given.transactional_id),
    ]
    pattern = ResourcePatternType[given.resource_pattern_type.upper()]
    return [
        AclBinding(
            kind,
            name,
            pattern,
            f"User:{user}",
            "*",
            _OPERATIONS[operation],
            AclPermissionType.ALLOW,
        )
        for kind, name in resources
        for operation in given.operation
    ]


def user_in_redis(name: str, password: str, *, group: str = "bonus") -> list[str]:
    """The page's ACL SETUSER, for a user, a password and a group of a test's own."""
    [line] = [line for line in PAGE.splitlines() if line.startswith("ACL SETUSER ")]
    words = line.split()
    words[2] = name
    return [word.replace(">secret", f">{password}").replace("{bonus:", f"{{{group}:") for word in words]
