"""The activity that makes a model call: rebuild the conversation, render the prompt, stream, count, keep."""

import asyncio
import logging
import traceback
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from pydantic import JsonValue, ValidationError
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from theseus.activities.failures import ProviderError, failure, given_up, unexpected
from theseus.activities.heartbeat import heartbeating
from theseus.activities.llm.catalogue import Catalogue, UnusableError
from theseus.activities.llm.deltas import Deltas
from theseus.activities.llm.images import Gallery, gallery
from theseus.activities.llm.provider import Call, Outcome, Provider, TextDelta, TokenCount
from theseus.activities.llm.providers import Providers
from theseus.activities.llm.quota import Quota, Share
from theseus.activities.llm.sound import sound, sound_message
from theseus.activities.llm.waste import Waste
from theseus.contracts.errors import ErrorType
from theseus.contracts.messages import (
    AssistantMessage,
    Head,
    LLMReply,
    LLMRequest,
    Message,
    TranscriptPart,
    UserMessage,
)
from theseus.contracts.session import Window
from theseus.contracts.task import ModelTier, Usage
from theseus.contracts.tools import ToolSpec
from theseus.domain.parsing import json_of
from theseus.domain.pricing import cost_microusd
from theseus.domain.telling import output
from theseus.domain.tokens import IMAGE_TOKENS, estimate, estimate_messages
from theseus.domain.transcript import head_node, message_node, unfold
from theseus.roles.role import AnyRole, render
from theseus.stores.ports import ArtifactStore, EventLog, SessionStore, StoreDownError, TranscriptStore

SHOWN_CHARS = 10_000

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Talk:
    """A conversation as it goes to a provider; `seen` counts the messages that an earlier call carried.

    `begins_at` is the place of its first own message, after those of the session's window.
    """

    head: Head
    tip: str
    messages: list[Message]
    seen: int
    window_lost: bool
    begins_at: int = 0


@dataclass
class _Heard:
    """What came back so far."""

    text: str = ""
    outcome: Outcome | None = None
    cancelled: bool = False
    role: AnyRole = field(default_factory=lambda: AnyRole(name="", instructions=""))


ATTEMPTS_OF_A_ROUTE = 1000
"""Attempts are numbered over all routes of a step: what the second route says is never taken for the first one's."""


class LLMActivities:
    """Model calls.

    Args:
        catalogue: models and their prices.
        providers: clients by provider name.
        quota: the rate limits that all workers keep together.
        transcripts: conversations by content; losing them costs a resend.
        sessions: the texts that windows name.
        artifacts: has the images that came with tasks.
        events: where deltas and outputs are told.
        tool_specs: specs of tools by name.
        roles: roles by name.
    """

    def __init__(  # noqa: PLR0913 - one parameter a dependency
        self,
        *,
        catalogue: Catalogue,
        providers: Providers,
        quota: Quota,
        transcripts: TranscriptStore,
        sessions: SessionStore,
        artifacts: ArtifactStore,
        events: EventLog,
        tool_specs: Callable[[Sequence[str]], list[ToolSpec]],
        roles: Callable[[str], AnyRole],
    ) -> None:
        self._catalogue = catalogue
        self._providers = providers
        self._quota = quota
        self._transcripts = transcripts
        self._sessions = sessions
        self._artifacts = artifacts
        self._events = events
        self._tool_specs = tool_specs
        self._roles = roles

    @activity.defn(name="llm.complete")
    async def complete(self, request: LLMRequest) -> LLMReply:
        """One call on one route. Cancelled by its task, it gives what there was until then, marked `partial`."""
        waste = Waste.of_earlier_attempts()
        async with heartbeating(details=waste.details):
            try:
                reply = await self._answered(request, waste)
            except (ApplicationError, asyncio.CancelledError):
                raise
            except Exception as error:  # noqa: BLE001 - a fault of ours, or an answer that nothing expects: asking again would cost again
                # without its words, in which a prompt may be
                where = "".join(traceback.format_tb(error.__traceback__))
                _log.error("a model call failed unexpectedly: %s\n%s", type(error).__name__, where)
                raise unexpected(error, request.route, waste.spent) from None
            told = not request.stream or reply.partial or await self._tell_output(request, reply)
            return reply.model_copy(
                update={"untold": not told, "wasted": waste.spent if waste.spent.total_tokens else None}
            )

    async def _answered(self, request: LLMRequest, waste: Waste) -> LLMReply:
        talk = await self._rebuild(request)
        heard = _Heard(role=self._roles(talk.head.role))
        provider = self._provider(request)
        images = await self._images(request, talk)
        call = self._call(request, talk, heard.role, images)
        async with self._quota.share(call, _left(request)) as share:
            try:
                await self._stream(request, provider.stream(call), heard, share)
            except ProviderError as error:
                if heard.text:
                    waste.add(self._usage(request, talk, heard, None))
                # without its cause: what a provider says may hold a key, and a cause goes into the history as it is
                failed = self._failure(request, error, waste)
                raise (given_up(failed, waste.spent) if _is_too_dear(request, waste.spent) else failed) from None
            reply = await self._reply(request, talk, heard)
            share.settle(reply.usage)
            return reply.model_copy(update={"unseen": images.unseen}) if images.unseen else reply

    def _failure(self, request: LLMRequest, error: Exception, waste: Waste) -> ApplicationError:
        variable = self._catalogue.provider(request.route.provider).key_variable
        return failure(error, request.route, self._catalogue.secrets, _left(request), waste.spent, variable)

    @activity.defn(name="transcript.restore")
    async def restore(self, part: TranscriptPart) -> None:
        """Gives the transcript store back a slice of what it lost."""
        try:
            await self._transcripts.put_part(part.conversation, part.hash, part.part, part.parts, part.text)
        except StoreDownError as error:
            raise ApplicationError(f"the transcript store: {error}", type=ErrorType.STORE_DOWN) from error

    async def _rebuild(self, request: LLMRequest) -> _Talk:
        if request.head is not None:
            node = head_node(request.head)
            head, tip, before = request.head, node.hash, list[Message]()
            await self._keep(request, {node.hash: node.text})
        else:
            head, before = await self._unfold(request)
            tip = request.prefix or ""
        if request.delta:
            node = message_node(tip, request.delta)
            tip = node.hash
            await self._keep(request, {node.hash: node.text})
        shown, lost = await self._expand(head.window)
        seen = len(shown) + len(before)
        return _Talk(head, tip, [*shown, *before, *request.delta], seen, lost, begins_at=len(shown))

    async def _unfold(self, request: LLMRequest) -> tuple[Head, list[Message]]:
        try:
            nodes = await self._transcripts.get(_conversation(request))
        except StoreDownError as error:
            raise _missing(f"the transcript store: {error}") from error
        found = unfold(nodes, request.prefix or "")
        if found is None:
            raise _missing("the transcript store does not have this conversation any more")
        return found

    async def _expand(self, window: Window | None) -> tuple[list[Message], bool]:
        if window is None:
            return [], False
        wanted = [*window.before, *window.after]
        try:
            found = {m.seq: m for m in await self._sessions.read(window.session, wanted)}
        except StoreDownError as error:
            raise ApplicationError(f"the session could not be read: {error}", type=ErrorType.STORE_DOWN) from error
        shown = [_said(found[seq].role, found[seq].text) for seq in window.before if seq in found]
        if window.summary:
            shown.append(UserMessage(text=f"[Summary of the conversation in between]\n{window.summary}"))
        shown += [_said(found[seq].role, found[seq].text) for seq in window.after if seq in found]
        return shown, len(found) < len(set(wanted))

    async def _stream(
        self, request: LLMRequest, answer: AsyncGenerator[TextDelta | Outcome, None], heard: _Heard, share: Share
    ) -> None:
        deltas = Deltas(
            self._events,
            task_id=request.ref.task_id,
            agent=request.ref.agent,
            step=request.step,
            attempt=request.routes_before * ATTEMPTS_OF_A_ROUTE + activity.info().attempt,
        )
        try:
            async with aclosing(answer) as stream:
                async for item in stream:
                    share.answering()
                    if isinstance(item, Outcome):
                        heard.outcome = replace(item, message=sound_message(item.message))
                    else:
                        heard.text += sound(item.text)
                        if request.stream:
                            deltas.add(sound(item.text))
        except asyncio.CancelledError:
            details = activity.cancellation_details()
            if details is None or not details.cancel_requested:
                raise
            heard.cancelled = True
        finally:
            await deltas.close()

    def _provider(self, request: LLMRequest) -> Provider:
        try:
            return self._providers.named(request.route.provider)
        except UnusableError as error:
            raise ApplicationError(str(error), type=ErrorType.AUTH, non_retryable=True) from None

    async def _images(self, request: LLMRequest, talk: _Talk) -> Gallery:
        sees = self._catalogue.entry(request.route).vision
        try:
            return await gallery(self._artifacts, request.ref.session, talk.head.images, sees=sees)
        except StoreDownError as error:
            raise ApplicationError(f"images could not be read: {error}", type=ErrorType.STORE_DOWN) from error

    def _call(self, request: LLMRequest, talk: _Talk, role: AnyRole, images: Gallery) -> Call:
        return Call(
            model=self._catalogue.entry(request.route),
            system=render(role, talk.head.facts) + images.note,
            messages=talk.messages,
            tools=self._tool_specs(request.tools),
            tool_choice=request.tool_choice,
            max_output_tokens=request.max_output_tokens,
            temperature=role.temperature,
            answer_name=role.name,
            answer_schema=role.answer.model_json_schema() if role.answer is not None else None,
            stable=talk.seen,
            images=images.shown,
            images_at=talk.begins_at,
        )

    async def _reply(self, request: LLMRequest, talk: _Talk, heard: _Heard) -> LLMReply:
        outcome = heard.outcome
        message = outcome.message if outcome is not None else AssistantMessage(text=heard.text)
        node = message_node(talk.tip, (message,))
        await self._keep(request, {node.hash: node.text})
        answer, invalid = _answer(heard.role, message) if not heard.cancelled else (None, None)
        return LLMReply(
            message=message,
            answer=answer,
            invalid=invalid,
            usage=self._usage(request, talk, heard, outcome),
            route=request.route,
            prefix=node.hash,
            finish_reason="cancelled" if heard.cancelled or outcome is None else outcome.finish_reason,
            partial=heard.cancelled,
            window_lost=talk.window_lost,
        )

    def _usage(self, request: LLMRequest, talk: _Talk, heard: _Heard, outcome: Outcome | None) -> Usage:
        tokens = outcome.tokens if outcome is not None else None
        if tokens is None:
            system = estimate(render(heard.role, talk.head.facts))
            system += IMAGE_TOKENS * len(talk.head.images)
            tokens = TokenCount(input=system + estimate_messages(talk.messages), output=estimate(heard.text))
        usage = Usage(
            input_tokens=tokens.input,
            output_tokens=tokens.output,
            cached_tokens=tokens.cached,
            cache_write_tokens=tokens.cache_write,
            total_tokens=tokens.input + tokens.output,
        )
        card = self._catalogue.entry(request.route).card(ModelTier.SMALL)
        return usage.model_copy(update={"cost_microusd": cost_microusd(card, usage)})

    async def _keep(self, request: LLMRequest, nodes: dict[str, str]) -> None:
        try:
            await self._transcripts.put(_conversation(request), nodes)
        except StoreDownError as error:
            # only a cache: the workflow has it all, and sends it again
            _log.warning("a part of the transcript was not kept: %s", error)

    async def _tell_output(self, request: LLMRequest, reply: LLMReply) -> bool:
        event = output(request.ref, request.step, reply, datetime.now(UTC))
        try:
            await self._events.publish(request.ref.task_id, [event])
        except StoreDownError as error:
            _log.warning("a model's output was not told, its workflow will: %s", error)
            return False
        return True


def _left(request: LLMRequest) -> timedelta | None:
    """For how long this route may still fail; None when Temporal alone says so."""
    if request.retry_seconds is None:
        return None
    return timedelta(seconds=request.retry_seconds) - (datetime.now(UTC) - activity.info().scheduled_time)


def _is_too_dear(request: LLMRequest, spent: Usage) -> bool:
    """Whether the attempts so far have spent more than the budget has beside this call."""
    tokens, microusd = request.spare_tokens, request.spare_microusd
    return (tokens is not None and spent.total_tokens > tokens) or (
        microusd is not None and spent.cost_microusd > microusd
    )


def _conversation(request: LLMRequest) -> str:
    return f"{request.ref.task_id}:{request.ref.agent}"


def _said(role: str, text: str) -> Message:
    return UserMessage(text=text) if role == "user" else AssistantMessage(text=text)


def _missing(message: str) -> ApplicationError:
    return ApplicationError(
        message,
        type=ErrorType.TRANSCRIPT_MISSING,
        non_retryable=True,
        category=ApplicationErrorCategory.BENIGN,
    )


def _answer(role: AnyRole, message: AssistantMessage) -> tuple[JsonValue, str | None]:
    if role.answer is None:
        return None, None
    try:
        return role.answer.model_validate(json_of(message.text)).model_dump(mode="json"), None
    except ValidationError as error:
        problems = (f"{'.'.join(str(p) for p in e['loc']) or 'answer'}: {e['msg']}" for e in error.errors()[:5])
        return None, "; ".join(problems)
    except ValueError as error:
        return None, str(error)
