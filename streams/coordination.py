"""What aiokafka leaves out when it talks to a group's coordinator. Importing this module adds it to every consumer.

- The answer about committed offsets has one error for the whole of it, besides one for each offset, which is all that
  aiokafka looks at. A coordinator that has moved, or still loads its groups, tells no offsets then, and aiokafka takes
  that for "nothing is committed". With the error it looks for the coordinator again, as it does after any such error.
- Heartbeats of a member with a name (group.instance.id) tell it, from version 3 on. Without it the coordinator cannot
  tell a member whose name another one has taken from one that was away for too long, and the two take turns for ever.
"""

from typing import Any

from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    GroupIdNotFound,
    NoError,
    NotCoordinatorForGroupError,
    for_code,
)
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.commit import OffsetFetchRequest
from aiokafka.protocol.group import HeartbeatRequest, HeartbeatRequest_v0, HeartbeatRequest_v1
from aiokafka.protocol.types import Int16, Int32, Schema, String


class _HeartbeatResponse(Response):  # type: ignore[misc]  # aiokafka has no types
    API_KEY = 12
    API_VERSION = 3
    SCHEMA = Schema(("throttle_time_ms", Int32), ("error_code", Int16))


class _HeartbeatStruct(RequestStruct):  # type: ignore[misc]  # aiokafka has no types
    API_KEY = 12
    API_VERSION = 3
    RESPONSE_TYPE = _HeartbeatResponse
    SCHEMA = Schema(
        ("group", String()), ("generation_id", Int32), ("member_id", String()), ("group_instance_id", String())
    )


class _NamedHeartbeat(Request[HeartbeatRequest_v0 | HeartbeatRequest_v1 | _HeartbeatStruct]):  # type: ignore[misc]
    """A heartbeat with the member's name, where the brokers take it."""

    API_KEY = 12

    def __init__(self, group: str, generation: int, member: str, name: str) -> None:
        self._unnamed = group, generation, member
        self._name = name

    def build(self, request_struct_class: type[Any]) -> Any:
        """The request in the version that was agreed on."""
        named = (self._name,) if request_struct_class is _HeartbeatStruct else ()
        return request_struct_class(*self._unnamed, *named)


_send = GroupCoordinator._send_req


async def _send_with_all_of_it(self: Any, request: Any) -> Any:
    if isinstance(request, HeartbeatRequest) and self._group_instance_id is not None:
        request = _NamedHeartbeat(self.group_id, self.generation, self.member_id, self._group_instance_id)
    answer = await _send(self, request)
    if isinstance(request, OffsetFetchRequest):
        error = for_code(getattr(answer, "error_code", NoError.errno))
        if error in (NotCoordinatorForGroupError, GroupCoordinatorNotAvailableError):
            self.coordinator_dead()
        if error not in (NoError, GroupIdNotFound):
            raise error(f"group {self.group_id}")
    return answer


GroupCoordinator._send_req = _send_with_all_of_it
