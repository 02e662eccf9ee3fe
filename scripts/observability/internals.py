"""Gateway internals: is the gateway itself well, and does it know what the monitor and the operator told it?"""

from scripts.observability.panels import PROVIDER, Dashboard, Look, Panel, Query, Row
from scripts.observability.promql import PROVIDER as BY_PROVIDER
from scripts.observability.promql import beside_us, ours, quantile, rate, series, total, worst

POD = ("pod", "instance")  # outside a cluster there are no pods, and the address alone tells processes apart
NAME = "{{pod}} {{instance}}"
HPA = 'horizontalpodautoscaler=~".+-(gateway|monitor)"'
CONTAINER = 'container=~"gateway|monitor"'


def growth(metric: str, *matchers: str) -> str:
    return f"increase({series(metric, *matchers)}[$__rate_interval])"


def each(metric: str) -> str:
    return total(series(metric), *POD)


PROCESS = Row(
    "Processes",
    (
        Panel(
            "Event loop lag, p99",
            "How late the loop comes to what is due; above 0.1 s every stream stutters.",
            "s",
            (Query(quantile(0.99, rate("pointsman_event_loop_lag_seconds_bucket"), *POD), NAME),),
        ),
        Panel("CPU", "Cores in use.", "short", (Query(total(ours(rate("process_cpu_seconds_total")), *POD), NAME),)),
        Panel(
            "Memory", "Resident.", "bytes", (Query(total(ours(series("process_resident_memory_bytes")), *POD), NAME),)
        ),
        Panel("In flight", "Requests being answered.", "short", (Query(each("pointsman_inflight_requests"), NAME),)),
        Panel(
            "Connections to providers",
            "Busy and idle ones of the pools.",
            "short",
            (
                Query(
                    total(series("pointsman_upstream_connections", BY_PROVIDER), "provider", "state"),
                    "{{provider}} {{state}}",
                ),
            ),
        ),
        Panel(
            "Open files", "Sockets included.", "short", (Query(total(ours(series("process_open_fds")), *POD), NAME),)
        ),
    ),
)

PRESSURE = Row(
    "Pressure",
    (
        Panel(
            "Retry budget left",
            "Extra tries that may be made now: a fifth of the last ten seconds' requests, at least ten a second.",
            "short",
            (Query(each("pointsman_retry_budget_left"), NAME),),
        ),
        Panel(
            "Shed requests",
            "Refused at once because no more could be taken, by reason.",
            "reqps",
            (Query(total(rate("pointsman_shed_requests_total"), "reason"), "{{reason}}"),),
        ),
        Panel(
            "Wrong or missing client keys",
            "Requests refused with 401.",
            "reqps",
            (Query(total(rate("pointsman_unauthorized_requests_total"), *POD), NAME),),
        ),
        Panel(
            "Autoscaler",
            "Pods wanted beside the most that are allowed (from kube-state-metrics).",
            "short",
            (
                Query(
                    worst(
                        beside_us(series("kube_horizontalpodautoscaler_status_desired_replicas", HPA)),
                        "horizontalpodautoscaler",
                    ),
                    "{{horizontalpodautoscaler}}",
                ),
                Query(
                    worst(
                        beside_us(series("kube_horizontalpodautoscaler_spec_max_replicas", HPA)),
                        "horizontalpodautoscaler",
                    ),
                    "{{horizontalpodautoscaler}} at most",
                ),
            ),
        ),
        Panel(
            "Restarts",
            "Processes that were started again at the same address.",
            "short",
            (Query(ours(f"changes({series('process_start_time_seconds')}[$__rate_interval])"), NAME),),
        ),
        Panel(
            "Container restarts",
            "By Kubernetes (from kube-state-metrics).",
            "short",
            (
                Query(
                    total(beside_us(growth("kube_pod_container_status_restarts_total", CONTAINER)), "pod", "container"),
                    "{{pod}} {{container}}",
                ),
            ),
        ),
    ),
)

TOLD = Row(
    "What it was told",
    (
        Panel(
            "Age of the snapshot",
            "Of the monitor's oldest part; it counts in full for three periods and not at all after ten.",
            "s",
            (Query(worst(series("pointsman_snapshot_age_seconds"), *POD), NAME),),
        ),
        Panel(
            "Configuration in force",
            "Gateways by the generation of their configuration; more than one for long: look at the logs.",
            "short",
            (Query(f"count by (generation) ({series('pointsman_config_info')})", "{{generation}}"),),
            Look.STACKED,
        ),
        Panel(
            "Configurations accepted and refused",
            "By gateways and monitors.",
            "short",
            (
                Query(total(growth("pointsman_config_reloads_total")), "accepted"),
                Query(total(growth("pointsman_config_reload_failures_total")), "refused"),
            ),
        ),
        Panel(
            "Watches taken up again",
            "Of the Kubernetes API, by reason.",
            "ops",
            (Query(total(rate("pointsman_kube_watch_restarts_total"), "reason"), "{{reason}}"),),
        ),
        Panel(
            "Watched by monitors",
            "Endpoints that monitors watch, and those without a sign of life within two periods.",
            "short",
            (
                Query(total(series("pointsman_monitor_endpoints")), "watched"),
                Query(total(series("pointsman_unprobed_endpoints")), "unprobed"),
            ),
        ),
        Panel(
            "Lag of probes",
            "How late the latest probes began.",
            "s",
            (Query(worst(series("pointsman_probe_lag_seconds"), *POD), NAME),),
        ),
    ),
)

SINKS = Row(
    "What it tells",
    (
        Panel(
            "Delivered",
            "Records and spans per second, by sink.",
            "ops",
            (Query(total(rate("pointsman_sink_delivered_total"), "sink"), "{{sink}}"),),
        ),
        Panel(
            "Dropped and tried again",
            "Dropped ones are lost: the sink is dead or too slow.",
            "ops",
            (
                Query(total(rate("pointsman_sink_dropped_total"), "sink"), "{{sink}} dropped"),
                Query(total(rate("pointsman_sink_retries_total"), "sink"), "{{sink}} tried again"),
            ),
        ),
        Panel(
            "Waiting",
            "Records and spans in the queues.",
            "short",
            (Query(total(series("pointsman_sink_waiting"), "sink"), "{{sink}}"),),
        ),
    ),
)

INTERNALS = Dashboard(
    "pointsman-internals",
    "Pointsman / Gateway internals",
    "Is the gateway itself well: loop, pools, retries, autoscaling, snapshot, configuration and sinks.",
    (PROCESS, PRESSURE, TOLD, SINKS),
    (PROVIDER,),
)
