"""What is deployed beside the workers: alerts, dashboards, runbooks."""
