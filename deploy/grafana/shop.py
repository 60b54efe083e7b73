# ruff: noqa: INP001  modules of build.py, which is run as a script
"""The dashboard for one shop, of those that FENLIU_METRICS_SHOPS names."""

from panels import Bars, Dashboard, Number, Panel, Query, Row, Variable

SHOP = 'job="$job", shop="$shop"'
WAITING = f"fenliu_shop_pending_replies{{{SHOP}}}"


def _assigned(more: str = "") -> str:
    return f"fenliu_shop_assignments_total{{{SHOP}{more}}}"


def _of_rules(rules: str) -> str:
    return _assigned(f', rule=~"{rules}"')


NOW = Row(
    "Now",
    [
        Number("Buyers waiting", "Buyers who wait for an answer of this shop (T1).", "none", f"sum({WAITING})"),
        Number(
            "Most at one agent",
            "Buyers who wait for the agent or account with the most of them.",
            "none",
            f"max({WAITING})",
        ),
        Number(
            "Agents with buyers waiting",
            "Agents and accounts for whom at least one buyer waits.",
            "none",
            f"count({WAITING} > 0)",
        ),
        Number(
            "Assigned in an hour",
            "Assignments of the last hour, rescues and drained messages among them.",
            "none",
            f"sum(increase({_assigned()}[1h]))",
        ),
        Number(
            "To the last contact",
            "Share of the last hour's assignments that went to whom the buyer knew (recent_contact).",
            "percentunit",
            f"sum(increase({_of_rules('recent_contact')}[1h])) / sum(increase({_assigned()}[1h]))",
        ),
        Number(
            "Left a message",
            "Assignments of the last hour that found nobody, or only full agents.",
            "none",
            f"sum(increase({_of_rules('leave_message|queue')}[1h]))",
            1,
        ),
        Number(
            "Rescued",
            "Buyers of the last hour who were routed again because their agent was gone (L7).",
            "none",
            f"sum(increase({_of_rules('stranded_rescue')}[1h]))",
        ),
        Number(
            "No reply",
            "Buyers of the last hour who were moved on because nobody answered (X2).",
            "none",
            f"sum(increase({_of_rules('no_reply')}[1h]))",
        ),
    ],
)

AGENTS = Row(
    "Agents",
    [
        Panel(
            "Waiting by agent",
            "Buyers who wait for each agent or account. One line far above the others: look at its weight, or "
            "whether it answers.",
            "none",
            [Query(f"sum by (agent) ({WAITING})", "{{agent}}")],
        ),
        Panel(
            "Assigned by agent",
            "Assignments in five minutes. A robot and the message pool have their own lines.",
            "none",
            [Query(f"sum by (agent) (increase({_assigned()}[5m]))", "{{agent}}")],
            stacked=True,
        ),
        Bars(
            "Shares",
            "Assignments of each agent over the time shown. Weights hold for the share rules alone; compare "
            "with the panel beside it.",
            "none",
            Query(f"sort_desc(sum by (agent) (increase({_assigned()}[$__range])))", "{{agent}}"),
        ),
    ],
)

RULES = Row(
    "Why",
    [
        Panel(
            "By rule",
            "Assignments in five minutes, by the rung that took the message.",
            "none",
            [Query(f"sum by (rule) (increase({_assigned()}[5m]))", "{{rule}}")],
            stacked=True,
        ),
        Bars(
            "Rules",
            "Assignments of each rule over the time shown.",
            "none",
            Query(f"sort_desc(sum by (rule) (increase({_assigned()}[$__range])))", "{{rule}}"),
        ),
        Bars(
            "By share alone",
            "Assignments of each agent over the time shown that share rules made: these follow weights and "
            "busyness (S1).",
            "none",
            Query(
                "sort_desc(sum by (agent) (increase("
                + _of_rules("group_share|group_fallback|page_share|random_online|pool_drained")
                + "[$__range])))",
                "{{agent}}",
            ),
        ),
    ],
)

THE_SHOP = Dashboard(
    uid="fenliu-shop",
    title="fenliu: a shop",
    description="One shop of those in FENLIU_METRICS_SHOPS: who waits, who gets what, and why.",
    variables=[
        Variable("job", "Application", "label_values(fenliu_build_info, job)"),
        Variable("shop", "Shop", 'label_values(fenliu_shop_assignments_total{job="$job"}, shop)'),
    ],
    rows=[NOW, AGENTS, RULES],
    alerts=(
        'ALERTS{alertname=~"Fenliu(UnattendedShop|StrandedBuyers|PartitionsWithoutWorker)", '
        'alertstate="firing", job="$job"}'
    ),
)
