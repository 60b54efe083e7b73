"""Drills: what each runbook is about is provoked on Apache Kafka under Prometheus, and done as the runbook says.

`make drill` runs all of them, one after another, in about half an hour; `python -m tests.drill no-progress` one. A
drill holds if the alert's condition is seen in the metrics, the alert fires, the runbook's commands run as they are
written, the alert ends once it is mended, and every message that was published was assigned, once.

The rules are those of deploy/prometheus, thirty times as fast (`tests.integration.prometheus.faster`): every range,
`for`, interval and offset is divided by 30, and nothing that is compared is changed.
"""
