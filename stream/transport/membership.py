"""Being a member of the consumer group: when Kafka refuses that for good, and who a static member is (KIP-345).

What is not obvious (aiokafka 0.14):

- It keeps a refusal to itself until somebody polls, and nobody does before there is an assignment: a worker that may
  not join would wait in silence for ever. So the answers to its requests are looked at here.
- It names a ``group.instance.id`` when it joins, and nowhere else. A member whose id another has taken hears only
  that it is unknown; it then forgets who it was and joins as somebody new, which takes the id back: two workers with
  one id would shut each other out for ever. Here a static member joins again as who it was, so that Kafka can tell
  which of the two has happened: it was away for too long, and may join anew, or it is fenced, and must end.
- A static member does not leave the group when it stops; aiokafka sees to that.
"""

from collections.abc import Callable

from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    IllegalGenerationError,
    InconsistentGroupProtocolError,
    InvalidSessionTimeoutError,
    MemberIdRequired,
    NoError,
    NotCoordinatorForGroupError,
    RebalanceInProgressError,
    UnknownMemberIdError,
    for_code,
)
from aiokafka.protocol.commit import OffsetCommitRequest
from aiokafka.protocol.group import JoinGroupRequest, SyncGroupRequest

from stream.access import lacking
from stream.errors import InputError

FENCED_INSTANCE_ID = 82
"""Kafka's error code, which aiokafka doesn't know."""

_PASSING = {
    NoError.errno,
    GroupCoordinatorNotAvailableError.errno,
    GroupLoadInProgressError.errno,
    IllegalGenerationError.errno,
    MemberIdRequired.errno,
    NotCoordinatorForGroupError.errno,
    RebalanceInProgressError.errno,
    UnknownMemberIdError.errno,
}
"""Answers after which aiokafka asks again by itself."""


def look_after(coordinator: GroupCoordinator, end: Callable[[InputError], None]) -> None:
    """Have ``end`` called where Kafka refuses this member for good, and a static member remember who it is."""
    ask, forget = coordinator._send_req, coordinator.reset_generation

    async def ask_and_look(request: object) -> object:
        answer = await ask(request)
        if isinstance(request, JoinGroupRequest | SyncGroupRequest):
            if answer.error_code not in _PASSING:
                end(_refusal(coordinator, answer.error_code))
            elif isinstance(request, JoinGroupRequest) and answer.error_code == UnknownMemberIdError.errno:
                forget()
        return answer

    def forget_the_generation_alone() -> None:
        coordinator.generation = OffsetCommitRequest.DEFAULT_GENERATION_ID
        coordinator.request_rejoin()

    coordinator._send_req = ask_and_look
    if coordinator._group_instance_id is not None:
        coordinator.reset_generation = forget_the_generation_alone


def _refusal(coordinator: GroupCoordinator, code: int) -> InputError:
    group = coordinator.group_id
    if code == FENCED_INSTANCE_ID:
        return InputError(
            f"Another worker has joined group {group} as {coordinator._group_instance_id!r}, so this one ends: give "
            "each worker an --instance-id of its own."
        )
    if code == InvalidSessionTimeoutError.errno:
        return InputError(
            f"Kafka does not accept a --session-timeout of {coordinator._session_timeout_ms} ms: it must lie between "
            "the brokers' group.min.session.timeout.ms and group.max.session.timeout.ms, by default 6s and 30m."
        )
    if code == InconsistentGroupProtocolError.errno:
        return InputError(
            f"Group {group} has members that are no such workers: stop them, or use another --group, which counts "
            "from the logs' start."
        )
    if code == GroupAuthorizationFailedError.errno:
        return lacking("Read", "group", group)
    return InputError(
        f"Kafka does not let this worker join group {group}: {for_code(code).__name__} ({code})."
    )
