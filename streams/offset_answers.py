"""Answers about committed offsets that are an error: aiokafka takes them for "nothing is committed".

A coordinator that has moved, or that still loads its groups, says so once for the whole answer, in which there are no
offsets then. aiokafka looks at the error of each offset only. Importing this module makes every consumer of the process
look at the other one too; it then looks for the coordinator again, as it does after any such error.
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
from aiokafka.protocol.commit import OffsetFetchRequest

_send = GroupCoordinator._send_req


async def _send_and_look(self: Any, request: Any) -> Any:
    answer = await _send(self, request)
    if isinstance(request, OffsetFetchRequest):
        error = for_code(getattr(answer, "error_code", NoError.errno))
        if error in (NotCoordinatorForGroupError, GroupCoordinatorNotAvailableError):
            self.coordinator_dead()
        if error not in (NoError, GroupIdNotFound):
            raise error(f"group {self.group_id}")
    return answer


GroupCoordinator._send_req = _send_and_look
