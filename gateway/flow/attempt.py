"""One attempt: one exchange with one endpoint, encoded, sent, timed and decoded.

Knows nothing of candidates and failover; every way it can go wrong ends as an `AttemptError`. A whole answer comes
back in one piece. A stream comes back at its commit point, with what was held back until then.
"""

import asyncio

from gateway.core.ask import Ask
from gateway.core.catalog import Endpoint, Provider
from gateway.core.credential import AwsKeys, Bearer, Credential
from gateway.core.failure import AttemptError, Failure, FailureKind
from gateway.core.value import Value
from gateway.flow.ports import Keys, ReplySink, Upstream
from gateway.formats.registry import spoken, wire_format
from gateway.formats.wire import Outgoing, RelayContext, Rendered, StreamRelay, WireFormat
from gateway.upstream.answer import Answer
from gateway.upstream.call import Call, Limits, Origin
from gateway.upstream.sigv4 import region_of, signed

HELD_EVENTS = 64  # CONTRACT §5: so much metadata is held back at most ...
HELD_BYTES = 256 * 1024  # ... then the stream is committed without content, since it plainly lives
REPLY_LIMIT_BYTES = 64 * 1024 * 1024  # a whole answer; twice what a request may have
ERROR_LIMIT_BYTES = 64 * 1024  # of an error body; the rest says nothing new


Headers = tuple[tuple[str, str], ...]
HEADERS_KEPT = 64  # sets of headers remembered per provider: a format sends a handful, anthropic-beta makes more


class Times(Value):
    """Limits of one attempt. Seconds; `total_at` on the loop's clock."""

    connect_s: float
    content_s: float  # until the first content, or until the head of a whole answer
    idle_s: float
    turn_at: float  # a whole answer has come in full, or another candidate has its turn
    total_at: float
    epoch_s: float  # Unix time at which the attempt begins


class Started(Value):
    """A stream at its commit point."""

    answer: Answer
    relay: StreamRelay
    held: bytes  # output up to and including the first content
    content_at: float | None  # when the first-token timer runs out, should it have been committed without content


class Load:
    """How many attempts run at one provider; shared by the lines of all configurations that requests still run on."""

    __slots__ = ("attempts",)

    def __init__(self) -> None:
        self.attempts = 0


class Line:
    """The way to one provider: its origin and its key."""

    def __init__(self, provider: Provider, upstream: Upstream, keys: Keys, load: Load | None = None) -> None:
        """`load`: of the line before, where this one takes its place."""
        self.provider = provider
        self.format: WireFormat = wire_format(provider.api)  # of the provider itself; endpoints have their own
        self._origin, self._prefix = Origin.parse(provider.base_url)
        self._upstream = upstream
        self._keys = keys
        self._origin_text = str(self._origin)
        self._headers: dict[tuple[Credential | None, str, Headers], Headers] = {}  # by format and the request's own too
        self.load = load or Load()

    def call(self, outgoing: Outgoing, form: WireFormat, epoch_s: float, method: str = "POST") -> Call:
        """The whole request, in `form`; a header of the request itself wins over a fixed one of the same name.

        Raises: AttemptError (CREDENTIAL) where it would have to be signed and cannot be.
        """
        key = self._keys.get(self.provider.id, self._origin_text)
        headers = self._headers.get((key, form.api, outgoing.headers))
        if headers is None:
            if len(self._headers) >= HEADERS_KEPT:
                self._headers.clear()
            headers = self._merged(_authorising(key, form), outgoing.headers)
            self._headers[key, form.api, outgoing.headers] = headers
        call = Call(self._origin, method, self._prefix + outgoing.path, headers, outgoing.body, outgoing.tracing)
        return self._signed(call, key, epoch_s) if type(key) is AwsKeys else call

    def _signed(self, call: Call, keys: AwsKeys, epoch_s: float) -> Call:
        region = self.provider.region or region_of(self._origin.host)
        if region is None:
            raise AttemptError(Failure(FailureKind.CREDENTIAL, "the region to sign for is unknown: give `region:`"))
        return signed(call, keys, region, epoch_s)

    def _merged(self, auth: Headers, own: Headers) -> Headers:
        names = {name for name, _ in own}
        return (*(pair for pair in (*auth, *self.provider.headers) if pair[0] not in names), *own)

    async def open(self, outgoing: Outgoing, form: WireFormat, limits: Limits, now_epoch_s: float) -> Answer:
        """Send and wait for a good head; an error status is read and raised."""
        answer = await self._upstream.open(self.call(outgoing, form, now_epoch_s), limits)
        if answer.head.status < 300:
            return answer
        try:
            body = await answer.read(ERROR_LIMIT_BYTES)
        except AttemptError:
            body = b""  # the status says enough
        finally:
            answer.abort()
        raise AttemptError(form.failure(answer.head.status, answer.head.headers, body, now_epoch_s))

    async def whole(
        self, ask: Ask, endpoint: Endpoint, outgoing: Outgoing, times: Times, context: RelayContext
    ) -> tuple[Rendered, Answer]:
        """Try for a whole answer."""
        form = spoken(ask.surface, endpoint)
        limits = Limits(times.connect_s, times.content_s, times.idle_s, min(times.turn_at, times.total_at))
        try:
            answer = await self.open(outgoing, form, limits, times.epoch_s)
            body = await answer.read(REPLY_LIMIT_BYTES)
        except AttemptError as error:
            if error.failure.kind is FailureKind.TOTAL_TIMEOUT and times.turn_at < times.total_at:
                late = Failure(FailureKind.ANSWER_TIMEOUT, "the answer did not come in full in time")
                raise AttemptError(late) from error
            raise
        return form.reply(ask, endpoint, body, context), answer

    async def start(
        self, ask: Ask, endpoint: Endpoint, outgoing: Outgoing, times: Times, context: RelayContext
    ) -> Started:
        """Try for a stream, up to its first content."""
        form = spoken(ask.surface, endpoint)
        relay = form.stream_relay(ask, endpoint, context)
        limits = Limits(times.connect_s, times.content_s, times.idle_s, times.total_at)
        try:
            async with asyncio.timeout(times.content_s) as timer:
                answer = await self.open(outgoing, form, limits, times.epoch_s)
                return Started(answer, relay, await _first_content(answer, relay), timer.when())
        except TimeoutError:
            raise _late(f"no content within {times.content_s:.1f} s") from None
        except AttemptError as error:
            if error.failure.kind is FailureKind.ANSWER_TIMEOUT:
                raise _late(f"no content within {times.content_s:.1f} s") from error
            raise


def _authorising(key: Credential | None, form: WireFormat) -> Headers:
    """Headers that authorise by themselves; signatures come later, since they cover the whole request."""
    if key is None or isinstance(key, AwsKeys):
        return ()
    return (("authorization", f"Bearer {key.token}"),) if isinstance(key, Bearer) else form.auth_headers(key)


def _late(message: str) -> AttemptError:
    return AttemptError(Failure(FailureKind.FIRST_TOKEN_TIMEOUT, message))


async def _first_content(answer: Answer, relay: StreamRelay) -> bytes:
    """Read until content, the end, or more metadata than is held back; an error before that fails the attempt."""
    held = bytearray()
    try:
        while not (relay.content_seen or relay.finished):
            data = await answer.chunk()
            held += relay.feed(data) if data else relay.end()
            if relay.failure is not None and not relay.content_seen:
                raise AttemptError(relay.failure)
            if not data or relay.held_events > HELD_EVENTS or len(held) > HELD_BYTES:
                break
    except BaseException:
        answer.abort()
        raise
    return bytes(held)


async def pump(started: Started, sink: ReplySink) -> None:
    """Pass on the stream after its commit point, at the client's pace.

    Where the commit point came for want of room, the first-token timer runs on: only content stops it.

    Raises:
        AttemptError: the stream broke; what was passed on stays valid.
    """
    relay = started.relay
    if _silent(relay):
        try:
            async with asyncio.timeout_at(started.content_at):
                while _silent(relay) and await _pass_on(started, sink):
                    pass
        except TimeoutError:
            raise _late("nothing but metadata until the limit for the first content") from None
    while not relay.finished and await _pass_on(started, sink):
        pass
    if relay.failure is not None:
        raise AttemptError(relay.failure)
    started.answer.release()


def _silent(relay: StreamRelay) -> bool:
    return not (relay.content_seen or relay.finished)


async def _pass_on(started: Started, sink: ReplySink) -> bool:
    """Pass on what comes next; False at the end or at a failure."""
    relay = started.relay
    if relay.failure is not None:
        return False
    data = await started.answer.chunk()
    out = relay.feed(data) if data else relay.end()
    if out:
        await sink.chunk(out)
    return bool(data)
