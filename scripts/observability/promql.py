"""The few shapes of PromQL that dashboards are made of. Every selector names the namespace, by the variable."""

SCOPE = 'namespace=~"$namespace"'
ROUTE = 'route=~"$route"'
OF_PROVIDER = 'endpoint=~"$provider/.+"'
PROVIDER = 'provider=~"$provider"'
HOUR_S = 3600


def series(metric: str, *matchers: str) -> str:
    """A selector."""
    return f"{metric}{{{', '.join((SCOPE, *matchers))}}}"


def rate(metric: str, *matchers: str) -> str:
    """Per second, lately."""
    return f"rate({series(metric, *matchers)}[$__rate_interval])"


def grown(metric: str, *matchers: str) -> str:
    """How much it grew in the time that the dashboard shows."""
    return f"increase({series(metric, *matchers)}[$__range])"


def total(expr: str, *by: str) -> str:
    return f"sum by ({', '.join(by)}) ({expr})" if by else f"sum({expr})"


def worst(expr: str, *by: str) -> str:
    return f"max by ({', '.join(by)}) ({expr})" if by else f"max({expr})"


def ratio(part: str, whole: str) -> str:
    """0 where there is a whole and no part; nothing where there is no whole."""
    return f"({part} or {whole} * 0) / ({whole} > 0)"


def quantile(share: float, buckets: str, *by: str) -> str:
    """Of a rate (or growth) of buckets."""
    return f"histogram_quantile({share:g}, {total(buckets, 'le', *by)})"


def joined(numbers: str, info: str, *labels: str) -> str:
    """`numbers` by endpoint, with `labels` of an info metric that the same process gives.

    Processes are never mixed: while a new configuration is rolled out they may tell different things.
    """
    return f"{numbers} * on (namespace, job, instance, endpoint) group_left ({', '.join(labels)}) {info}"


def ill(*matchers: str) -> str:
    """States of the endpoints that were not closed at some time of what is shown: of hundreds, the few that matter."""
    states = series("pointsman_breaker_state", *matchers)
    return f"{worst(states, 'endpoint')} and on (endpoint) max_over_time({states}[$__range] @ end()) > 0"


def used(expr: str) -> str:
    """Of what is told by endpoint, only those that were tried in the time that is shown."""
    attempts = series("pointsman_attempts_total", OF_PROVIDER)
    return f"{expr} and on (endpoint) increase({attempts}[$__range] @ end()) > 0"


def ours(expr: str) -> str:
    """What every process says of itself, of Pointsman's processes alone."""
    return f"{expr} and on (namespace, job, instance) {series('pointsman_build_info')}"


def beside_us(expr: str) -> str:
    """What the cluster says, of namespaces alone where Pointsman is."""
    return f"{expr} and on (namespace) {series('pointsman_build_info')}"
