"""The devices of an agent (L1, L10): the one place where one of them changes."""

from heapq import heappush

from streams.routing.records import Device
from streams.routing.state import Agent, DeviceKey, Shop


def is_connected(shop: Shop, agent: Agent) -> bool:
    """L2: whether any counting device is connected."""
    return agent.connected_pcs > 0 or (shop.plan.config.mobile_diversion and len(agent.connected) > 0)


def counts(shop: Shop, kind: str) -> bool:
    """L2: whether devices of a kind count."""
    return kind == "pc" or shop.plan.config.mobile_diversion


def status_ms(agent: Agent, key: DeviceKey) -> int:
    """L10, Y16: the own time of the newest status applied for a device, or for all of its kind; -1 without one."""
    device, of_kind_ms = agent.devices.get(key), agent.offline_kinds.get(key[0], -1)
    return of_kind_ms if device is None else max(device.status_ms, of_kind_ms)


def is_stale(agent: Agent, key: DeviceKey, own_time_ms: int) -> bool:
    """L10: whether a newer status of the device was applied."""
    return own_time_ms < status_ms(agent, key)


def note_status(shop: Shop, agent: Agent, key: DeviceKey, own_time_ms: int, *, connected: bool) -> None:
    """Connect or disconnect a device by a status of its own time that is not stale."""
    device = agent.devices.get(key)
    if device is None:
        device = add_device(shop, agent, key, own_time_ms)
    device.status_ms = own_time_ms
    _set(shop, agent, key, device, connected=connected)


def add_device(shop: Shop, agent: Agent, key: DeviceKey, own_time_ms: int) -> Device:
    """A device at its first mention, not connected."""
    device = agent.devices[key] = Device(connected=False, status_ms=own_time_ms)
    shop.gauges.device_keys += 1
    return device


def disconnect_kind(shop: Shop, agent: Agent, kind: str, own_time_ms: int) -> bool:
    """Y16: every device of a kind is offline, each as L10 allows, and those not seen yet; false if that is stale."""
    seen = [device for (kind_, _), device in agent.devices.items() if kind_ == kind]
    if own_time_ms < agent.offline_kinds.get(kind, -1):
        return False
    if seen and all(device.status_ms > own_time_ms for device in seen):
        return False
    agent.offline_kinds[kind] = own_time_ms
    for key, device in list(agent.connected.items()):
        if key[0] == kind and device.status_ms <= own_time_ms:
            _set(shop, agent, key, device, connected=False)
    return True


def disconnect_all(shop: Shop, agent: Agent) -> None:
    """L9: the agent was silent for too long."""
    for key, device in list(agent.connected.items()):
        _set(shop, agent, key, device, connected=False)


def _set(shop: Shop, agent: Agent, key: DeviceKey, device: Device, *, connected: bool) -> None:
    shop.changed_devices.add((agent.agent_id, *key))
    if connected is not device.connected:
        device.connected = connected
        agent.connected_pcs += (key[0] == "pc") * (1 if connected else -1)
        if connected:
            agent.connected[key] = device
        else:
            del agent.connected[key]
    if not connected and not device.queued:  # T6
        device.queued = True
        heappush(shop.idle, (device.status_ms, agent.agent_id, *key))
        shop.wake_by(device.status_ms + shop.plan.forget_after_ms + 1)
