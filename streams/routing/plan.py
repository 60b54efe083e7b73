"""A shop's settings, compiled once for each configuration so that a decision only looks things up."""

from typing import NamedTuple

from schemas.shop import DEFAULT_VERSION, Group, ShopConfig

HOUR_MS = 3_600_000
POOL_SEPARATOR = "\u001f"
FOR_EVER_MS = 1 << 62
ALL_AGENTS = "all"


class Binding(NamedTuple):
    """The groups that an order state leads to (Q5, Q6): their common pool, its members, whether a robot stands in."""

    pool: str
    members: frozenset[str]
    robot: bool


def group_pool_name(group_ids: list[str]) -> str:
    """The name of the candidate pool of some groups (S2)."""
    return "group:" + POOL_SEPARATOR.join(sorted(group_ids))


def tier_pool_name(tier: int, pool: str) -> str:
    """The name of one tier of a candidate pool (Y4)."""
    return pool if tier == 1 else f"tier:{tier}{POOL_SEPARATOR}{pool}"


def tier_of_pool(name: str) -> tuple[int, str]:
    """The tier, and the candidate pool of which it is one (Y4)."""
    if not name.startswith("tier:"):
        return 1, name
    tier, _, pool = name.removeprefix("tier:").partition(POOL_SEPARATOR)
    return int(tier), pool


def page_pool_name(page: str) -> str:
    """The name of the candidate pool of a page's rule (S2)."""
    return "page:" + page


class Plan:
    """What a configuration means for decisions. Immutable once built."""

    def __init__(self, config: ShopConfig, version: str = DEFAULT_VERSION) -> None:
        self.config = config
        self.version = version
        self.qianniu = config.policy == "qianniu"
        self.lag_min_ms = config.detection_lag_s.min * 1000
        self.lag_max_ms = config.detection_lag_s.max * 1000
        window_h = config.recent_window_h
        self.recent_window_ms = None if window_h is None else window_h * HOUR_MS
        # T5: 72 h at the least, 30 days where the window is null.
        self.forget_after_ms = 30 * 24 * HOUR_MS if window_h is None else max(72, window_h) * HOUR_MS
        self.no_reply_ms = None if config.no_reply_reassign_s is None else config.no_reply_reassign_s * 1000
        self.contact_of_group = self.qianniu and config.recent_contact_scope == "group"  # Y2
        self.unattended_robot = config.robot_first and config.robot_when_unattended
        self._weights = {agent.agent_id: agent.weight for agent in config.agents}
        self._tiers = {agent.agent_id: agent.tier for agent in config.agents if agent.tier != 1}
        self.tiers = tuple(sorted({1, *self._tiers.values()}))
        self.suspended_keeps_ms = self._suspended_keeps_ms()
        self._limits = {agent.agent_id: agent.max_pending for agent in config.agents if agent.max_pending is not None}
        self.named = self._named()
        self.receivers = tuple(sorted(config.offline_receivers))
        self.proxies = tuple(sorted(config.leave_message.proxy_account_ids))
        self.group_ids = tuple(sorted(group.group_id for group in config.groups))
        self.bindings = self._bindings()
        self.single_groups = {group.group_id: _binding([group]) for group in config.groups}
        self.dedicated = config.dedicated_agents if self.qianniu and config.dedicated_direct else {}  # Q3
        self.pages = {page.page: frozenset(page.agent_ids) for page in config.pages}
        self.pools = self._pools()

    def weight(self, agent_id: str) -> int:
        """The configured weight of an agent, or that of those whom the settings do not list (Y5)."""
        return self._weights.get(agent_id, self.config.unlisted_agent_weight)

    def tier(self, agent_id: str) -> int:
        """Y4: the agent's tier; 1 for one that the settings do not list."""
        return self._tiers.get(agent_id, 1)

    def max_pending(self, agent_id: str) -> int | None:
        """X1: the agent's limit of waiting buyers, None for no limit."""
        return self._limits.get(agent_id, self.config.default_max_pending)

    def _suspended_keeps_ms(self) -> int:
        """Y1: how old a contact may be for a suspended agent to keep it; negative: never."""
        if not self.config.suspended_keeps_recent:
            return -1
        hours = self.config.suspended_keeps_recent_h
        return FOR_EVER_MS if hours is None else hours * HOUR_MS

    def _named(self) -> frozenset[str]:
        """The agents that the settings name, so that they are known without an event (section 2)."""
        config = self.config
        names = set(self._weights) | set(config.dedicated_agents.values()) | set(config.offline_receivers)
        for group in config.groups:
            names.update(group.agent_ids)
        for page in config.pages:
            names.update(page.agent_ids)
        return frozenset(names)

    def _pools(self) -> dict[str, frozenset[str] | None]:
        """The pools that the settings can lead to (S2), each tier one of its own (Y4), by name.

        Who belongs to each, of whatever tier; None is everybody.
        """
        groups = (*self.bindings.values(), *self.single_groups.values())
        whole = {
            ALL_AGENTS: None,
            **{binding.pool: binding.members for binding in groups},
            **{page_pool_name(page): members for page, members in self.pages.items()},
        }
        return {tier_pool_name(tier, name): members for name, members in whole.items() for tier in self.tiers}

    def _bindings(self) -> dict[str, Binding]:
        by_state: dict[str, list[Group]] = {}
        for group in self.config.groups:
            for state in group.order_states:
                by_state.setdefault(state, []).append(group)
        return {state: _binding(groups) for state, groups in by_state.items()}


def _binding(groups: list[Group]) -> Binding:
    return Binding(
        pool=group_pool_name([group.group_id for group in groups]),
        members=frozenset(agent_id for group in groups for agent_id in group.agent_ids),
        robot=any(group.robot for group in groups),
    )


DEFAULT_PLAN = Plan(ShopConfig())
