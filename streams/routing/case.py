"""One message on its way down a ladder: what the rungs may look at, and what they found."""

from schemas.decisions import Outcome, TargetKind
from schemas.events import BuyerMessage
from streams.routing.draws import draw_for_message
from streams.routing.plan import ALL_AGENTS, Binding, Plan
from streams.routing.records import Buyer
from streams.routing.share import tiers
from streams.routing.state import Agent, Shop


class Case:
    """A message to be routed.

    `without` are ids that this decision leaves out (F5, L7, X2); `robots` False leaves out robots too. `drain` asks for
    room (T4), and `favoured` has room for one buyer in any case. `strict` passes full agents over in every rung (F4).
    """

    __slots__ = (
        "_binding", "_bound", "buyer", "by_lot", "candidate_count", "compared_weight", "contact_out_of_group",
        "diverts", "drain", "favoured", "found_only_full", "group", "has_contact", "kind", "message", "plan", "push",
        "queues", "robots", "share_pool", "shop", "strict", "target_id", "trace", "waits_with_addressed", "weight",
        "without",
    )  # fmt: skip

    def __init__(
        self,
        shop: Shop,
        buyer: Buyer,
        message: BuyerMessage,
        *,
        without: tuple[str, ...] = (),
        robots: bool = True,
        strict: bool = False,
        drain: bool = False,
        favoured: str | None = None,
    ) -> None:
        plan = shop.plan
        self.shop: Shop = shop
        self.plan: Plan = plan
        self.buyer = buyer
        self.message = message
        self.without = without
        self.group: Binding | None = None if buyer.group_id is None else plan.single_groups[buyer.group_id]  # Y8
        self.robots = robots and self.group is None
        self.strict = strict
        self.drain = drain
        self.favoured = favoured
        self.diverts = strict or plan.config.offline_diversion  # X2 does not ask offline_diversion, L7 has it on
        self.waits_with_addressed = False
        self.has_contact = False
        self.contact_out_of_group: str | None = None  # Y2, Y8
        self.queues = False  # Y3
        self.found_only_full = False
        self.by_lot = False  # whether the binding is by chance
        self.share_pool: str | None = None  # the pool, of whatever tier, out of which share picked
        self.compared_weight = 0  # the weights that were compared there
        self._bound = False
        self._binding: Binding | None = None
        self.kind: TargetKind = "message_pool"
        self.target_id = ""
        self.weight: int | None = None
        self.candidate_count: int | None = None
        self.push: bool | None = None
        self.trace: list[tuple[str, Outcome]] = []

    def give(self, kind: TargetKind, target_id: str) -> Outcome:
        """The rung takes the message for this target."""
        self.kind = kind
        self.target_id = target_id
        return "taken"

    def obstacle(self, agent_id: str, *, suspended_receives: bool) -> Outcome | None:
        """Why this agent cannot be reached, the first reason in the order of F1; None if it can."""
        if agent_id in self.without:
            return "excluded"
        agent = self.shop.agents.get(agent_id)
        if agent is None or not agent.online:
            return "agent_offline" if self.shop.known(agent_id) else "agent_unknown"
        if agent.suspended and not suspended_receives:
            return "agent_suspended"
        return "full" if self._passed_over(agent) else None

    def _passed_over(self, agent: Agent) -> bool:
        """X1, T4: whether an agent that is asked for by name has no place for the buyer."""
        if self.drain and not agent.has_room and agent.agent_id != self.favoured:
            return True
        if agent.limit is None or (self.plan.config.full_keeps_recent and not self.strict):
            return False
        return self.pending_without_buyer(agent) >= agent.limit

    @property
    def kept_from_robots(self) -> bool:
        """Y13: the buyer asked for a human since the last one answered, or waits in the pool for one."""
        buyer = self.buyer
        return buyer.wants_human or buyer.in_pool

    def pending_without_buyer(self, agent: Agent) -> int:
        """The agent's pending replies, the buyer in question not counted (X1)."""
        return len(agent.waiting) - (self.buyer.owner_id == agent.agent_id)

    def somebody_eligible(self) -> bool:
        """Y15: whether any agent of the shop is available and has a weight, those left out not counted."""
        count = sum(pool_.eligible_count for pool_ in tiers(self.shop, ALL_AGENTS))
        for agent_id in self.without:
            agent = self.shop.agents.get(agent_id)
            count -= agent is not None and agent.eligible
        return count > 0

    def somebody_available(self) -> bool:
        """Q1, P5: whether any agent of the shop is available, those left out not counted."""
        count = self.shop.available_count
        for agent_id in self.without:
            agent = self.shop.agents.get(agent_id)
            count -= agent is not None and agent.available
        return count > 0

    @property
    def binding(self) -> Binding | None:
        """Q5, Q6: the groups of the order state, or the group that stands in for a state that no group binds."""
        if not self._bound:
            self._bound = True
            self._binding = self._find_binding()
        return self._binding

    def _find_binding(self) -> Binding | None:
        if self.group is not None:
            return self.group
        plan, state = self.plan, self.message.order_state
        binding = plan.bindings.get(state) if state is not None else None
        if binding is None and plan.group_ids and plan.config.unbound_order_state == "random_group":
            self.by_lot = True
            event_id = self.message.event_id
            place = draw_for_message(self.shop.shop_id, self.buyer.buyer_id, event_id, len(plan.group_ids))
            return plan.single_groups[plan.group_ids[place]]
        return binding
