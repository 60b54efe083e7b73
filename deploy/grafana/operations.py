# ruff: noqa: INP001  modules of build.py, which is run as a script
"""The dashboard for whoever runs the workers."""

from panels import Dashboard, Number, Panel, Query, Row, Variable

JOB = 'job="$job"'
WORKER = 'job="$job", instance=~"$instance"'
RATE = "[$__rate_interval]"


def _quantile(of: float, metric: str, by: str = "le") -> str:
    return f"histogram_quantile({of}, sum by ({by}) (rate({metric}_bucket{{{WORKER}}}{RATE})))"


def _counted(metric: str, by: str = "") -> str:
    grouping = f" by ({by})" if by else ""
    return f"sum{grouping} (rate({metric}{{{WORKER}}}{RATE}))"


def _slow(window: str) -> str:
    return f"job:fenliu_slow_assignments:ratio_rate{window}{{{JOB}}}"


NOW = Row(
    "Now",
    [
        Number(
            "Workers",
            "Workers that answer. None: nobody routes.",
            "none",
            f"count(up{{{JOB}}} == 1)",
        ),
        Number(
            "Partitions routed",
            "Partitions whose state is restored. Fewer than the inputs have: some shops wait.",
            "none",
            f"job:fenliu_routed_partitions:count{{{JOB}}}",
        ),
        Number(
            "Oldest record",
            "Age of the oldest record that is not routed, over all partitions.",
            "s",
            f"max(fenliu_input_lag_seconds{{{JOB}}})",
            30,
        ),
        Number("Events", "Records routed per second.", "cps", f"job:fenliu_events:rate5m{{{JOB}}}"),
        Number(
            "Assigned within (p99)",
            "99 of 100 messages were assigned within so long after their arrival at the broker.",
            "s",
            f"job:fenliu_end_to_end_seconds:p99_5m{{{JOB}}}",
            1,
        ),
        Number(
            "Dead letters",
            "Share of the records that cannot be used.",
            "percentunit",
            f"job:fenliu_dead_letters:ratio_rate5m{{{JOB}}}",
            0.01,
        ),
        Number(
            "Buyers waiting", "Buyers who wait for an answer (T1).", "none", f"sum(fenliu_pending_replies{{{JOB}}})"
        ),
        Number(
            "Unattended shops",
            "Shops without an available agent.",
            "none",
            f"sum(fenliu_unattended_shops{{{JOB}}})",
        ),
    ],
)

OBJECTIVE = Row(
    "The objective: 99.5 % of the messages are assigned within 1 s",
    [
        Panel(
            "Slow messages",
            "Share of the messages that waited more than 1 s for their assignment. 0.5 % may; from 7.2 % on over an "
            "hour the alert is critical.",
            "percentunit",
            [Query(_slow(window), window) for window in ("5m", "1h", "6h", "3d")],
            limit=0.005,
        ),
        Panel(
            "Arrival to assignment",
            "From the broker's timestamp of a message to its committed assignment.",
            "s",
            [Query(_quantile(share, "fenliu_end_to_end_seconds"), f"p{share * 100:g}") for share in (0.5, 0.9, 0.99)],
            limit=1,
        ),
        Panel(
            "Transactions",
            "From begin to commit of a batch. Slow ones mean slow brokers.",
            "s",
            [Query(_quantile(share, "fenliu_transaction_seconds"), f"p{share * 100:g}") for share in (0.5, 0.99)],
        ),
    ],
)

THROUGHPUT = Row(
    "Throughput and lag",
    [
        Panel(
            "Events by topic",
            "Records routed per second, dead letters among them.",
            "cps",
            [Query(_counted("fenliu_events_total", "topic"), "{{topic}}")],
            stacked=True,
        ),
        Panel(
            "Lag by partition",
            "Age of the oldest record that is not routed. A line that climbs by a second each second is a "
            "partition that stands still.",
            "s",
            [Query(f"max by (partition) (fenliu_input_lag_seconds{{{WORKER}}})", "partition {{partition}}")],
            limit=30,
        ),
        Panel(
            "Records behind",
            "Records on the broker that are not routed yet; markers of transactions count.",
            "short",
            [Query(f"sum by (topic) (fenliu_input_lag_records{{{WORKER}}})", "{{topic}}")],
            stacked=True,
        ),
        Panel(
            "Assignments by rule",
            "Assignments per second, by the rung that took the message.",
            "cps",
            [Query(_counted("fenliu_assignments_total", "rule"), "{{rule}}")],
            stacked=True,
        ),
        Panel(
            "Events of a batch",
            "How many records a transaction holds. Large under load, one when idle.",
            "short",
            [Query(_quantile(share, "fenliu_batch_events"), f"p{share * 100:g}") for share in (0.5, 0.99)],
        ),
        Panel(
            "Transactions per second",
            "Batches committed, over the workers.",
            "cps",
            [Query(_counted("fenliu_batch_events_count", "instance"), "{{instance}}")],
        ),
    ],
)

WORKERS = Row(
    "Workers",
    [
        Panel(
            "Partitions by worker",
            "How many partitions each worker has been given.",
            "none",
            [Query(f"sum by (instance) (fenliu_partitions{{{WORKER}}})", "{{instance}}")],
            stacked=True,
        ),
        Panel(
            "Being restored",
            "Partitions that a worker has been given and cannot route yet.",
            "none",
            [Query(f"instance:fenliu_restoring_partitions:sum{{{WORKER}}}", "{{instance}}")],
        ),
        Panel(
            "Time to restore",
            "Of a take-over: from fencing the predecessor to ready.",
            "s",
            [Query(_quantile(0.99, "fenliu_restore_seconds", "instance, le"), "{{instance}} p99")],
        ),
        Panel(
            "Rebalances and fences",
            "In ten minutes. A worker that is fenced ends, so its last count may be missing.",
            "none",
            [
                Query(f"job:fenliu_rebalances:increase10m{{{JOB}}}", "rebalances"),
                Query(f"sum by (instance) (increase(fenliu_fenced_total{{{WORKER}}}[10m]))", "fenced {{instance}}"),
            ],
        ),
        Panel(
            "Event loop",
            "How late the event loop is (99th percentile). From the session timeout on, the brokers take the "
            "worker for dead.",
            "s",
            [Query(f"instance:fenliu_event_loop_lag_seconds:p99_5m{{{WORKER}}}", "{{instance}}")],
            limit=0.5,
        ),
        Panel(
            "Keys of state",
            "What the workers hold in memory, and what a take-over reads.",
            "short",
            [
                Query(f"sum by (table) (fenliu_state_keys{{{WORKER}}})", "{{table}}"),
                Query(_counted("fenliu_restored_keys_total"), "restored per second"),
            ],
        ),
        Panel(
            "Versions",
            "Workers by version of fenliu. Two of them: a rollout.",
            "none",
            [Query(f"count by (version) (fenliu_build_info{{{WORKER}}})", "{{version}}")],
            stacked=True,
        ),
    ],
)

BAD_INPUT = Row(
    "Bad and late input",
    [
        Panel(
            "Dead letters by code",
            "Records per second that cannot be used, by the reason.",
            "cps",
            [Query(_counted("fenliu_dead_letters_total", "code"), "{{code}}")],
            stacked=True,
        ),
        Panel(
            "Late events",
            "Share of the records that are older than their shop's clock (O3).",
            "percentunit",
            [Query(f"job:fenliu_late_events:ratio_rate15m{{{JOB}}}", "late")],
            limit=0.1,
        ),
        Panel(
            "Without effect",
            "Per second: messages that had been routed before (O4), stale status events (L10), automatic replies (T2).",
            "cps",
            [
                Query(_counted("fenliu_duplicate_messages_total"), "duplicate messages"),
                Query(_counted("fenliu_stale_status_total"), "stale status"),
                Query(_counted("fenliu_auto_replies_total"), "automatic replies"),
            ],
        ),
    ],
)

SHOPS = Row(
    "All shops",
    [
        Panel(
            "Buyers who wait",
            "For an agent or account (T1), and in message pools (T4).",
            "none",
            [
                Query(f"sum(fenliu_pending_replies{{{WORKER}}})", "for an agent"),
                Query(f"sum(fenliu_message_pool{{{WORKER}}})", "in message pools"),
            ],
            stacked=True,
        ),
        Panel(
            "Agents by presence",
            "As the router believes.",
            "none",
            [Query(f"sum by (presence) (fenliu_agents{{{WORKER}}})", "{{presence}}")],
            stacked=True,
        ),
        Panel(
            "Shops without agents, busy agents",
            "Shops where nobody is available; agents above their shop's busy_threshold.",
            "none",
            [
                Query(f"sum(fenliu_unattended_shops{{{WORKER}}})", "unattended shops"),
                Query(f"sum(fenliu_busy_agents{{{WORKER}}})", "busy agents"),
            ],
        ),
        Panel(
            "Buyers moved or forgotten",
            "Per second: stranded at an agent who was gone (L6), rescued (L7), moved because nobody answered (X2), "
            "forgotten while waiting (T5).",
            "cps",
            [
                Query(_counted("fenliu_stranded_buyers_total"), "stranded"),
                Query(_counted("fenliu_rescued_buyers_total"), "rescued"),
                Query(_counted("fenliu_no_reply_moves_total"), "no reply"),
                Query(_counted("fenliu_expired_buyers_total"), "expired"),
            ],
        ),
        Panel(
            "Detection lag",
            "How long agents who had lost their connection counted as online (L4).",
            "s",
            [Query(_quantile(share, "fenliu_detection_lag_seconds"), f"p{share * 100:g}") for share in (0.5, 0.95)],
        ),
        Panel(
            "三分钟回复率: answered within three minutes",
            "Share of the answers that came within 180 s of the first unanswered message (X3), over an hour.",
            "percentunit",
            [
                Query(
                    f'sum(rate(fenliu_reply_seconds_bucket{{{WORKER}, le="180.0"}}[1h]))'
                    f" / sum(rate(fenliu_reply_seconds_count{{{WORKER}}}[1h]))",
                    "within three minutes",
                )
            ],
        ),
    ],
)

OPERATIONS = Dashboard(
    uid="fenliu-operations",
    title="fenliu: operations",
    description=(
        "Workers of one application (FENLIU_APP_ID): whether they route, how fast, and what comes in. "
        "Needs the recording rules."
    ),
    variables=[
        Variable("job", "Application", "label_values(fenliu_build_info, job)"),
        Variable("instance", "Worker", 'label_values(fenliu_build_info{job="$job"}, instance)', all_of_them=True),
    ],
    rows=[NOW, OBJECTIVE, THROUGHPUT, WORKERS, BAD_INPUT, SHOPS],
    alerts='ALERTS{alertname=~"Fenliu.*", alertstate="firing", job="$job"}',
)
