"""Static membership (KIP-345): a worker that comes back under its instance id within the session has its partitions.

aiokafka 0.14 names the instance id when it joins, and nowhere else. So a member whose id another has taken over hears
only that it is unknown; it then forgets who it was and joins as somebody new, which takes the id back: two workers
with one id would shut each other out for ever. Here it joins again as who it was, so that Kafka can tell it which of
the two has happened: it was away for too long, and may join anew, or it is fenced, and must end.

On SIGTERM a static member does not leave the group: aiokafka sees to that.
"""

from collections.abc import Callable

from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import UnknownMemberIdError
from aiokafka.protocol.commit import OffsetCommitRequest
from aiokafka.protocol.group import JoinGroupRequest, SyncGroupRequest

FENCED_INSTANCE_ID = 82
"""Kafka's error code, which aiokafka doesn't know."""


def keep_identity(coordinator: GroupCoordinator, on_fenced: Callable[[], None]) -> None:
    """Have a static member join again as who it was; ``on_fenced`` is called where another has taken its id over."""
    ask, forget = coordinator._send_req, coordinator.reset_generation

    async def ask_and_look(request: object) -> object:
        answer = await ask(request)
        if isinstance(request, JoinGroupRequest | SyncGroupRequest):
            if answer.error_code == FENCED_INSTANCE_ID:
                on_fenced()
            elif isinstance(request, JoinGroupRequest) and answer.error_code == UnknownMemberIdError.errno:
                forget()
        return answer

    def forget_the_generation_alone() -> None:
        coordinator.generation = OffsetCommitRequest.DEFAULT_GENERATION_ID
        coordinator.request_rejoin()

    coordinator._send_req = ask_and_look
    coordinator.reset_generation = forget_the_generation_alone
