"""Sends probes, by the very code that sends traffic (`gateway.flow.attempt`): what a probe measures is what a request
meets.

Whatever goes wrong is a failure in the result. Only the connection test is its own: it sends no request.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Mapping

from gateway.core.ask import Ask, EmbedRequest, Surface, survey_chat, survey_embed
from gateway.core.catalog import Endpoint, Operation, Provider
from gateway.core.chat import ChatRequest, Message, Role, Text
from gateway.core.failure import AttemptError, Failure, FailureKind
from gateway.core.usage import Usage
from gateway.flow.attempt import ERROR_LIMIT_BYTES, REPLY_LIMIT_BYTES, Line
from gateway.flow.ports import Keys, Upstream
from gateway.formats.registry import wire_format
from gateway.formats.wire import PROBE_PROMPT, Outgoing, RelayContext
from gateway.upstream.call import Limits, Origin
from gateway.upstream.dial import failure_of
from monitor.ports import Clock
from monitor.probe import Means, ProbeResult

OVERTIME = 3.0  # all of an answer may take so many timeouts; its head, and each pause in it, one


class LineProber:
    """A `Prober` on the lines that requests take."""

    def __init__(self, upstream: Upstream, clock: Clock) -> None:
        self._upstream = upstream
        self._clock = clock
        self._lines: Mapping[str, Line] = {}
        self._keys: Keys | None = None
        self._tls: ssl.SSLContext | None = None

    def reconfigure(self, providers: Mapping[str, Provider], keys: Keys) -> None:
        """Take over a new configuration; probes under way end as they began."""
        self._lines = {id_: Line(provider, self._upstream, keys) for id_, provider in providers.items()}
        self._keys = keys

    def missing(self) -> frozenset[str]:
        return frozenset() if self._keys is None else self._keys.missing()

    async def check(self, provider: Provider, means: Means) -> ProbeResult:
        """The list of models, or a connection with TLS."""
        if means is Means.TCP:
            return await self._timed(self._connected(provider))
        return await self._timed(self._listed(self._lines[provider.id]))

    async def complete(self, endpoint: Endpoint) -> ProbeResult:
        """The cheapest completion, whole, read as a client's would be."""
        return await self._timed(self._completed(self._lines[endpoint.provider], endpoint))

    async def _timed(self, exchange: Awaitable[tuple[float, Usage | None]]) -> ProbeResult:
        begun_s = self._clock.now_s()
        try:
            head_s, usage = await exchange
        except AttemptError as error:
            return ProbeResult(_blamed(error.failure), (self._clock.now_s() - begun_s) * 1_000)
        return ProbeResult(None, (self._clock.now_s() - begun_s) * 1_000, (head_s - begun_s) * 1_000, usage)

    async def _listed(self, line: Line) -> tuple[float, None]:
        path = line.format.models_path
        assert path is not None, "who has no list is checked by a connection"
        listing = line.call(Outgoing(path, (), b""), line.format, self._clock.epoch_s(), "GET")
        answer = await self._upstream.open(listing, self._limits(line.provider))
        head_s = self._clock.now_s()
        try:
            if answer.head.status >= 300:
                body = await answer.read(ERROR_LIMIT_BYTES)
                head = answer.head
                raise AttemptError(line.format.failure(head.status, head.headers, body, self._clock.epoch_s()))
            await answer.read(REPLY_LIMIT_BYTES)  # its end shows that the connection holds, and lets it be used again
        finally:
            answer.abort()
        return head_s, None

    async def _connected(self, provider: Provider) -> tuple[float, None]:
        origin, _ = Origin.parse(provider.base_url)
        secured = origin.scheme == "https"
        if secured and self._tls is None:
            self._tls = ssl.create_default_context()
        try:
            async with asyncio.timeout(provider.probe.timeout_s):
                _, writer = await asyncio.open_connection(origin.host, origin.port, ssl=self._tls if secured else None)
                writer.close()
        except OSError as error:
            raise AttemptError(failure_of(error, origin)) from error
        return self._clock.now_s(), None

    async def _completed(self, line: Line, endpoint: Endpoint) -> tuple[float, Usage | None]:
        epoch_s, form = self._clock.epoch_s(), wire_format(endpoint.api)
        answer = await line.open(form.probe(endpoint), form, self._limits(line.provider), epoch_s)
        head_s = self._clock.now_s()
        try:
            body = await answer.read(REPLY_LIMIT_BYTES)
        finally:
            answer.abort()
        context = RelayContext("probe", int(epoch_s), endpoint.model, lambda _: None)
        return head_s, form.reply(probe_ask(endpoint), endpoint, body, context).usage

    def _limits(self, provider: Provider) -> Limits:
        timeout_s = provider.probe.timeout_s
        return Limits(
            connect_s=min(provider.timeouts.connect_s, timeout_s),
            head_s=timeout_s,
            idle_s=timeout_s,
            total_at=self._clock.now_s() + OVERTIME * timeout_s,
        )


def probe_ask(endpoint: Endpoint) -> Ask:
    """The probe as if a client had asked it, for reading the answer."""
    if endpoint.operation is Operation.EMBEDDINGS:
        embed = EmbedRequest(inputs=(PROBE_PROMPT,))
        return Ask(Surface.EMBEDDINGS, endpoint.model, stream=False, body={}, survey=survey_embed(embed), embed=embed)
    chat = ChatRequest(messages=(Message(Role.USER, (Text(PROBE_PROMPT),)),))
    surface = Surface.COMPLETIONS if endpoint.operation is Operation.COMPLETIONS else Surface.CHAT
    return Ask(surface, endpoint.model, stream=False, body={}, survey=survey_chat(chat), chat=chat)


def _blamed(failure: Failure) -> Failure:
    """A probe has no client whose limit could have run out: the provider was too slow."""
    if failure.kind is FailureKind.TOTAL_TIMEOUT:
        return Failure(FailureKind.ANSWER_TIMEOUT, failure.message, failure.status)
    return failure
