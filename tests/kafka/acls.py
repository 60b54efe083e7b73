"""Rights on a test cluster: granted and taken back by Kafka's own requests, and in force when the call returns."""

import time
from collections.abc import Iterable
from typing import Any

from aiokafka.protocol.admin import (
    CreateAclsRequest_v1,
    DeleteAclsRequest_v1,
    DescribeAclsRequest_v1,
)
from aiokafka.protocol.api import Request

from streams.access import Operation, Pattern, Resource, Right

_RESOURCE: dict[Resource, int] = {"Topic": 2, "Group": 3, "TransactionalId": 5}
_PATTERN: dict[Pattern, int] = {"literal": 3, "prefixed": 4}
_OPERATION: dict[Operation, int] = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8, "DescribeConfigs": 10}
_ALLOW = 3
_ANY_HOST = "*"
_WITHIN_S = 20.0


class _Create(Request[CreateAclsRequest_v1]):  # type: ignore[misc]  # aiokafka has no types
    """Several at once; aiokafka's own builder takes one."""

    API_KEY = 30

    def __init__(self, bindings: list[tuple[Any, ...]]) -> None:
        self._bindings = bindings

    def build(self, request_struct_class: type[CreateAclsRequest_v1]) -> CreateAclsRequest_v1:
        return request_struct_class(self._bindings)


class _Delete(Request[DeleteAclsRequest_v1]):  # type: ignore[misc]  # aiokafka has no types
    API_KEY = 31

    def __init__(self, bindings: list[tuple[Any, ...]]) -> None:
        self._bindings = bindings

    def build(self, request_struct_class: type[DeleteAclsRequest_v1]) -> DeleteAclsRequest_v1:
        return request_struct_class(self._bindings)


class _Describe(Request[DescribeAclsRequest_v1]):  # type: ignore[misc]  # aiokafka has no types
    API_KEY = 29

    def __init__(self, binding: tuple[Any, ...]) -> None:
        self._binding = binding

    def build(self, request_struct_class: type[DescribeAclsRequest_v1]) -> DescribeAclsRequest_v1:
        return request_struct_class(*self._binding)


async def grant(admin: Any, principal: str, rights: Iterable[Right]) -> None:
    """Give rights to a principal; returns when the broker that answers acts on it.

    Args:
        admin: a connected AIOKafkaAdminClient of a user who may.
        principal: as `User:worker`.
        rights: to give.
    """
    rights = list(rights)
    answer = (await admin._send_request(_Create([_binding(right, principal) for right in rights]))).to_object()
    assert {each["error_code"] for each in answer["creation_responses"]} == {0}, answer
    for right in rights:
        await _until(admin, principal, right, there=True)


async def revoke(admin: Any, principal: str, rights: Iterable[Right]) -> None:
    """Take rights back that were given so; returns when the broker that answers acts on it."""
    rights = list(rights)
    answer = (await admin._send_request(_Delete([_binding(right, principal) for right in rights]))).to_object()
    assert {len(each["matching_acls"]) for each in answer["filter_responses"]} == {1}, answer
    for right in rights:
        await _until(admin, principal, right, there=False)


def _binding(right: Right, principal: str) -> tuple[Any, ...]:
    resource, pattern, name, operation = right
    return (
        _RESOURCE[resource], name, _PATTERN[pattern], principal, _ANY_HOST, _OPERATION[operation], _ALLOW,
    )  # fmt: skip


async def _until(admin: Any, principal: str, right: Right, *, there: bool) -> None:
    """The controller answers before the broker's authorizer has heard of it."""
    deadline = time.monotonic() + _WITHIN_S
    while bool((await admin._send_request(_Describe(_binding(right, principal)))).resources) is not there:
        assert time.monotonic() < deadline, f"{right} for {principal} is still {'not ' if there else ''}there"
