"""The calls: which function answers each, and whether it changes anything."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import Message

from theseus.gateway.rpc import looking, schedules, sessions, steering, submitting
from theseus.gateway.rpc.call import Call
from theseus.gateway.rpc.protocol import orchestrator_pb2

SERVICE: ServiceDescriptor = orchestrator_pb2.DESCRIPTOR.services_by_name["OrchestratorService"]

Run = Callable[[Any, Call], Awaitable[Message]]


@dataclass(frozen=True)
class Method:
    """How a call is answered. One that `changes` something is finished also when its client is gone."""

    run: Run
    changes: bool = False


METHODS: Mapping[str, Method] = {
    "SubmitTask": Method(submitting.submit, changes=True),
    "GetTaskStatus": Method(looking.status),
    "ListTasks": Method(looking.listed),
    "CancelTask": Method(steering.cancel, changes=True),
    "PauseTask": Method(steering.pause, changes=True),
    "ResumeTask": Method(steering.resume, changes=True),
    "GetControlState": Method(steering.control_state),
    "ApproveTask": Method(steering.approve, changes=True),
    "GetPendingApprovals": Method(looking.approvals),
    "SubmitReviewDecision": Method(steering.review, changes=True),
    "SendSwarmMessage": Method(steering.say, changes=True),
    "GetSessionContext": Method(sessions.context),
    "ListTemplates": Method(looking.listed_templates),
    "CreateSchedule": Method(schedules.create, changes=True),
    "GetSchedule": Method(schedules.get),
    "ListSchedules": Method(schedules.listed),
    "UpdateSchedule": Method(schedules.update, changes=True),
    "DeleteSchedule": Method(schedules.delete, changes=True),
    "PauseSchedule": Method(schedules.pause, changes=True),
    "ResumeSchedule": Method(schedules.resume, changes=True),
}
