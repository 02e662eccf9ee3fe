"""The walk: plan, try, fail over, answer, record. Read it top to bottom.

Decisions are taken by `core` (`failover.after`, `turn_s`, the breaker); this file carries them out, and is
the only place where a request moves from one candidate to the next. Every way out leads through `settle`, so that no
request goes unrecorded.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.core.budget import RetryBudget
from gateway.core.decision import Considered, Decision, Outcome
from gateway.core.failover import Next, Progress, after, turn_s, wanted
from gateway.core.failure import AttemptError, Failure, FailureKind
from gateway.core.plan import Step
from gateway.core.refusal import Refusal, RefusalKind, Refused
from gateway.core.trace import Sampling
from gateway.core.value import Value
from gateway.flow import faults
from gateway.flow.attempt import Line, Times, pump
from gateway.flow.consider import Planner
from gateway.flow.ending import CUT_OFF, REFUSAL, Ending
from gateway.flow.evaluate import Evaluator
from gateway.flow.health import HealthBook
from gateway.flow.keep import KeepingSink, keeps_texts
from gateway.flow.ports import ClientGone, Clock, ReplySink
from gateway.flow.refuse import Unroutable, first_reasons, guarantors_down
from gateway.flow.run import Request, Run
from gateway.flow.settle import Settler
from gateway.flow.trial import LEFT, Trial, Trials

_OK = Outcome.OK  # a member of an enum costs ten times a name


@dataclass(frozen=True, slots=True)
class Parts:
    """What the walk is made of; a configuration reload makes a new one."""

    planner: Planner
    lines: dict[str, Line]  # by provider id
    settler: Settler
    trials: Trials


class Ended(Value):
    """A run at its end. What is to be made of it is made when there is time (`Walk.settled`): nobody waits for it."""

    run: Run
    parts: Parts
    now_s: float


class Walk:
    """Answers requests. One per process; `parts` is swapped on reload, and a request keeps those it began with."""

    def __init__(self, parts: Parts, book: HealthBook, clock: Clock, ended: Callable[[Ended], None]) -> None:
        """`ended` takes each run at its end, and brings it to `settled` in time."""
        self.parts = parts
        self.book = book
        self._budget = RetryBudget()
        self.clock = clock
        self._ended = ended
        self.ending = Ending()
        self.sampling: Sampling | None = None  # None: nothing is traced
        self.evaluator: Evaluator | None = None  # None: nothing is evaluated

    async def answer(self, request: Request, sink: ReplySink) -> None:
        """Answer one request, whatever happens; cancellation means that the client has left, or (`ending`) must be told
        that the process ends."""
        await self._walk(Run(request), sink)

    async def follow(self, request: Request, considered: Considered, sink: ReplySink) -> None:
        """Answer a request whose plan is made already."""
        await self._walk(Run(request, considered), sink)

    async def _walk(self, run: Run, sink: ReplySink) -> None:
        request, parts = run.request, self.parts
        self._budget.request(request.moment.now_s)
        try:
            if run.considered is None:
                planner = parts.planner
                run.considered = await planner.considered(request.ask, request.extras, request.client, request.moment)
            if run.considered.step is not None and self.evaluator is not None:
                run.drawn = self.evaluator.draws(request.id, run.considered)
            into = KeepingSink(sink, run) if run.drawn or keeps_texts(run.considered) else sink
            await self._try_in_turn(run, run.considered, parts, into)
        except Refused as refused:
            run.outcome = Outcome.REJECTED
            if isinstance(refused, Unroutable):
                run.considered = refused.considered
            self._show(run, faults.of_refusal(refused.refusal), sink)
        except (ClientGone, asyncio.CancelledError) as left:
            if not self._is_told(run, left, sink):
                raise
        except Exception:
            run.status, run.error = 500, "internal error"
            raise
        finally:
            self.record(run, parts)

    def _is_told(self, run: Run, left: BaseException, sink: ReplySink) -> bool:
        """Note why a run broke off; whether its client is there, and has been told that the process ends."""
        if self.ending.begun and run.outcome is Outcome.PARTIAL:
            return False  # it was being told, and read too slowly
        if isinstance(left, asyncio.CancelledError) and self.ending.takes_back():
            self._show(run, faults.of_refusal(REFUSAL), sink)
            return True
        run.outcome, run.status, run.error = Outcome.CANCELLED, faults.CLIENT_CLOSED, LEFT.message
        return False

    def record(self, run: Run, parts: Parts | None = None) -> None:
        """See to the row of a finished run. `parts`: those it began with; None: it never began."""
        self._ended(Ended(run, parts or self.parts, self.clock.now_s()))

    def settled(self, ended: Ended) -> Decision:
        """The record of a run that has ended; where it was drawn for evaluation, it is handed over."""
        run, parts = ended.run, ended.parts
        if run.drawn and self.evaluator is not None:
            self.evaluator.finished(run, parts.planner)
        return parts.settler.settle(run, ended.now_s)

    def retry_budget_left(self) -> int:
        return self._budget.left(self.clock.now_s())

    async def _try_in_turn(self, run: Run, considered: Considered, parts: Parts, sink: ReplySink) -> None:
        """The failover loop."""
        limits = considered.route.limits
        deadline_s = min(limits.deadline_s, run.request.extras.deadline_s or limits.deadline_s)
        deadline_at = run.request.moment.now_s + deadline_s
        candidates = [*considered.steps, *considered.others]
        failure: Failure | None = None
        while candidates and len(run.rows) < considered.attempts:
            step = candidates.pop(0)
            left = min(len(candidates), considered.attempts - len(run.rows) - 1)
            trial = parts.trials.enter(run, considered, step, left, self.clock.now_s())
            if trial is None:
                continue
            if run.rows and not _free(run, step):
                self._budget.take(self.clock.now_s())
            try:
                await self._try(run, trial, _Clocks(deadline_at, left, limits.total_s), sink)
            except AttemptError as error:
                failure = error.failure
            else:
                return
            if run.committed:
                await self._break_off(run, trial, failure, sink)
                return
            candidates = wanted(candidates, step, failure.status, run.request.extras)
            match after(failure.kind, self._progress(run, candidates, deadline_at, considered.attempts)):
                case Next.GIVE_UP:
                    break
                case Next.FAIL_OVER_LARGER:
                    candidates = _larger(candidates, step)
                case Next.FAIL_OVER:
                    pass
        self._give_up(run, failure, sink)

    def _progress(self, run: Run, candidates: Sequence[Step], deadline_at: float, attempts: int) -> Progress:
        now_s = self.clock.now_s()
        return Progress(
            committed=run.committed,
            candidates_left=len(candidates),
            attempts_left=attempts - len(run.rows),
            seconds_left=deadline_at - now_s,
            budget=(bool(candidates) and _free(run, candidates[0])) or self._budget.left(now_s) > 0,
        )

    async def _try(self, run: Run, trial: Trial, clocks: "_Clocks", sink: ReplySink) -> None:
        """One attempt, from limits to report."""
        now_s = self.clock.now_s()
        timeout_s = trial.timeout_s(run.request.ask)
        share_s = turn_s(clocks.deadline_at - now_s, clocks.candidates_left)
        limit_s = min(timeout_s, share_s)
        timeouts = trial.line.provider.timeouts
        total_at = run.request.moment.now_s + clocks.total_s
        trial.begin(now_s, cut_short=limit_s < timeout_s)
        moment = run.request.moment
        epoch_s = moment.epoch_s + now_s - moment.now_s
        times = Times(min(timeouts.connect_s, limit_s), limit_s, timeouts.idle_s, now_s + share_s, total_at, epoch_s)
        try:
            if run.request.ask.stream:
                await self._stream(run, trial, times, sink)
            else:
                await self._whole(run, trial, times, sink)
        except AttemptError as error:
            trial.failed(error.failure, self.clock.now_s())
            raise
        except (asyncio.CancelledError, ClientGone) as left:
            if isinstance(left, asyncio.CancelledError) and self.ending.takes_back():
                trial.cut_off(self.clock.now_s())
                raise AttemptError(CUT_OFF) from None
            trial.cancelled(self.clock.now_s())
            raise
        except Exception:
            trial.failed(Failure(FailureKind.INTERNAL, "internal error"), self.clock.now_s())
            raise
        finally:
            trial.leave()

    async def _whole(self, run: Run, trial: Trial, times: Times, sink: ReplySink) -> None:
        ask, endpoint = run.request.ask, trial.step.endpoint
        rendered, answer = await trial.line.whole(ask, endpoint, trial.outgoing, times, trial.context)
        trial.answered(answer)
        cost_usd = trial.succeeded_whole(rendered, self.clock.now_s())
        headers = trial.headers(answer)
        if cost_usd is not None and run.cost_usd is not None:
            headers.append(("x-pointsman-cost", f"{run.cost_usd:.12f}"))
        sink.whole(200, headers, rendered.body)
        run.committed, run.outcome, run.status = True, _OK, 200

    async def _stream(self, run: Run, trial: Trial, times: Times, sink: ReplySink) -> None:
        ask, endpoint = run.request.ask, trial.step.endpoint
        started = await trial.line.start(ask, endpoint, trial.outgoing, times, trial.context)
        trial.answered(started.answer)
        trial.started(started.relay, self.clock.now_s())
        run.committed, run.status = True, 200
        try:
            await sink.head(200, trial.headers(started.answer))
            await sink.chunk(started.held)
            await pump(started, sink)
            await sink.end()
        except BaseException:
            started.answer.abort()
            raise
        started.answer.release()
        trial.succeeded_stream(self.clock.now_s())
        run.outcome = _OK

    async def _break_off(self, run: Run, trial: Trial, failure: Failure, sink: ReplySink) -> None:
        """After the commit point: one error event, and the end."""
        run.outcome, run.error = Outcome.PARTIAL, failure.message
        if failure is CUT_OFF and trial.finished():
            await sink.end()  # the client has it all but for what it has not read yet
            return
        error = faults.in_stream(failure, trial.step.endpoint.id, trial.next_number())
        event = run.request.surface.error_event(error)
        if not event:  # between bytes of audio there is no place for it
            sink.abort()
            return
        await sink.chunk(event)
        await sink.end()

    def _give_up(self, run: Run, failure: Failure | None, sink: ReplySink) -> None:
        if failure is None:
            why = "; ".join(f"{name}: {reason}" for name, reason in run.skipped.items())
            raise Refused(Refusal(RefusalKind.OVERLOADED, f"no candidate can take a request now: {why}", None, 1.0))
        if failure.kind in faults.CLIENTS_FAULT:
            run.outcome = Outcome.REJECTED
        refusal = None if run.considered is None else guarantors_down(run.considered, run.rows)
        if refusal is not None:
            return self._show(run, faults.of_refusal(refusal), sink)
        names = [row.endpoint for row in run.rows]
        excluded = {} if run.considered is None else first_reasons(run.considered.excluded)
        return self._show(run, faults.of_failures(failure, run.rows, self._earliest(names), excluded), sink)

    def _earliest(self, names: Sequence[str]) -> float | None:
        """Seconds until the first of these endpoints may be tried again, where a horizon is known."""
        now_s = self.clock.now_s()
        ill = self.book.health(now_s).ill
        ahead = [ill[name].until_s for name in names if name in ill]
        return min((until_s - now_s for until_s in ahead if until_s is not None), default=None)

    def _show(self, run: Run, fault: faults.Fault, sink: ReplySink) -> None:
        run.status, run.error = fault.error.status, fault.error.message
        headers = [*_JSON, ("x-pointsman-decision", run.request.id), *fault.headers]
        if run.considered is not None:
            headers.append(("x-pointsman-route", run.considered.route.name))
            headers.append(("x-pointsman-attempts", str(len(run.rows))))
        if run.rows:
            headers.append(("x-pointsman-endpoint", run.rows[-1].endpoint))
        sink.whole(fault.error.status, headers, run.request.surface.error_body(fault.error))


_JSON = (("content-type", "application/json"),)


class _Clocks(Value):
    deadline_at: float
    candidates_left: int
    total_s: float


def _free(run: Run, step: Step) -> bool:
    """Whether a try of `step` is the first failover of its request to another provider, which no budget counts."""
    tried = {row.endpoint.partition("/")[0] for row in run.rows}
    return len(tried) == 1 and step.endpoint.provider not in tried


def _larger(candidates: Sequence[Step], than: Step) -> list[Step]:
    """Candidates whose context is larger, or not known to be smaller."""
    size = than.endpoint.context
    return [
        step for step in candidates if size is None or step.endpoint.context is None or step.endpoint.context > size
    ]
