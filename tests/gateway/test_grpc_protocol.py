"""A client that knows only names and numbers of the protocol can talk to the gateway, and the Python is what they make."""

import filecmp
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, empty_pb2, struct_pb2, timestamp_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message_factory import GetMessageClass

from tests.contract.source_tree import ROOT
from tests.gateway.test_grpc import rpc, told
from tests.support.rpc import Wire
from tests.support.world import until
from theseus.gateway.rpc.protocol import orchestrator_pb2 as protocol

__all__ = ("rpc",)

NUMBERS = """
common.TaskMetadata: task_id=1 user_id=2 session_id=3 tenant_id=4 created_at=5:Timestamp labels=6:map max_agents=7:int32
common.TaskMetadata: token_budget=8:double
common.TokenUsage: prompt_tokens=1:int32 completion_tokens=2:int32 total_tokens=3:int32 cost_usd=4:double model=5
common.TokenUsage: tier=6:enum provider=7
common.ExecutionMetrics: latency_ms=1:int64 token_usage=2:TokenUsage cache_hit=3:bool cache_score=4:double
common.ExecutionMetrics: agents_used=5:int32 mode=6:enum
SubmitTaskRequest: metadata=1:TaskMetadata query=2 context=3:Struct auto_decompose=4:bool
SubmitTaskRequest: manual_decomposition=5:TaskDecomposition session_context=6:SessionContext require_approval=10:bool
SubmitTaskResponse: workflow_id=1 task_id=2 status=3:enum decomposition=4:TaskDecomposition message=5
TaskDecomposition: mode=1:enum complexity_score=2:double agent_tasks=3:AgentTask* dag=4:DAGStructure
SessionContext: history=1:ConversationMessage* persistent_context=2:Struct files_created=3:string* tools_used=4:string*
SessionContext: total_tokens_used=5:int32 total_cost_usd=6:double
GetTaskStatusRequest: task_id=1 include_details=2:bool
GetTaskStatusResponse: task_id=1 status=2:enum progress=3:double result=4 metrics=5:ExecutionMetrics
GetTaskStatusResponse: agent_statuses=6:AgentTaskStatus* error_message=7
AgentTaskStatus: agent_id=1 task_id=2 status=3:enum result=4 token_usage=5:TokenUsage
CancelTaskRequest: task_id=1 reason=2
CancelTaskResponse: success=1:bool message=2
PauseTaskRequest: task_id=1 reason=2
PauseTaskResponse: success=1:bool message=2
ResumeTaskRequest: task_id=1 reason=2
ResumeTaskResponse: success=1:bool message=2
GetControlStateRequest: task_id=1
GetControlStateResponse: is_paused=1:bool is_cancelled=2:bool paused_at=3 pause_reason=4 paused_by=5 cancel_reason=6
GetControlStateResponse: cancelled_by=7
ListTasksRequest: user_id=1 session_id=2 limit=3:int32 offset=4:int32 filter_status=5:enum
ListTasksResponse: tasks=1:TaskSummary* total_count=2:int32
TaskSummary: task_id=1 query=2 status=3:enum mode=4:enum created_at=5:Timestamp completed_at=6:Timestamp
TaskSummary: total_token_usage=7:TokenUsage
GetSessionContextRequest: session_id=1
GetSessionContextResponse: session_id=1 context=2:Struct recent_tasks=3:TaskSummary* session_token_usage=4:TokenUsage
ListTemplatesRequest:
ListTemplatesResponse: templates=1:TemplateSummary*
TemplateSummary: name=1 version=2 key=3 content_hash=4
ApproveTaskRequest: approval_id=1 workflow_id=2 run_id=3 approved=4:bool feedback=5 modified_action=6 approved_by=7
ApproveTaskResponse: success=1:bool message=2
GetPendingApprovalsRequest: user_id=1 session_id=2
GetPendingApprovalsResponse: approvals=1:PendingApproval*
PendingApproval: approval_id=1 workflow_id=2 query=3 proposed_action=4 reason=5 requested_at=6:Timestamp metadata=7:Struct
SubmitReviewDecisionRequest: workflow_id=1 approved=2:bool final_plan=3 conversation=4 approved_by=5 research_brief=6
SubmitReviewDecisionResponse: success=1:bool message=2
SendSwarmMessageRequest: workflow_id=1 message=2
SendSwarmMessageResponse: success=1:bool status=2
CreateScheduleRequest: name=1 description=2 cron_expression=3 timezone=4 task_query=5 task_context=6:map
CreateScheduleRequest: max_budget_per_run_usd=7:double timeout_seconds=8:int32
CreateScheduleResponse: schedule_id=1 message=2 next_run_at=3
ScheduleInfo: schedule_id=1 name=2 description=3 cron_expression=4 timezone=5 task_query=6 task_context=7:map
ScheduleInfo: max_budget_per_run_usd=8:double timeout_seconds=9:int32 status=10 created_at=11 updated_at=12
ScheduleInfo: last_run_at=13 next_run_at=14 total_runs=15:int32 successful_runs=16:int32 failed_runs=17:int32
GetScheduleRequest: schedule_id=1
GetScheduleResponse: schedule=1:ScheduleInfo
ListSchedulesRequest: page_size=1:int32 page=2:int32 status=3
ListSchedulesResponse: schedules=1:ScheduleInfo* total_count=2:int32 page=3:int32 page_size=4:int32
UpdateScheduleRequest: schedule_id=1 name=2 description=3 cron_expression=4 timezone=5 task_query=6 task_context=7:map
UpdateScheduleRequest: max_budget_per_run_usd=8:double timeout_seconds=9:int32 clear_task_context=10:bool
UpdateScheduleResponse: success=1:bool message=2 next_run_at=3
DeleteScheduleRequest: schedule_id=1
DeleteScheduleResponse: success=1:bool message=2
PauseScheduleRequest: schedule_id=1 reason=2
PauseScheduleResponse: success=1:bool message=2
ResumeScheduleRequest: schedule_id=1 reason=2
ResumeScheduleResponse: success=1:bool message=2 next_run_at=3
"""
"""What existing clients were made from: fields, their numbers and types; text where none is said, `*` for many."""

METHODS = (
    *("SubmitTask", "GetTaskStatus", "CancelTask", "ListTasks", "GetSessionContext", "ListTemplates", "ApproveTask"),
    *("GetPendingApprovals", "PauseTask", "ResumeTask", "GetControlState", "SubmitReviewDecision", "SendSwarmMessage"),
    *("CreateSchedule", "GetSchedule", "ListSchedules", "UpdateSchedule", "DeleteSchedule", "PauseSchedule"),
    "ResumeSchedule",
)
STATES = ("UNSPECIFIED", "QUEUED", "RUNNING", "COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "PAUSED")
FOLDER = "theseus/gateway/rpc/protocol"
Fields = dict[str, tuple[int, str]]


def known() -> dict[str, Fields]:
    found: dict[str, Fields] = {}
    for line in NUMBERS.strip().splitlines():
        message, _, fields = line.partition(":")
        for field in fields.split():
            name, _, what = field.partition("=")
            number, _, kind = what.partition(":")
            found.setdefault(message, {})[name] = (int(number), kind or "string")
        found.setdefault(message, {})
    return found


KINDS = {
    FieldDescriptor.TYPE_STRING: "string",
    FieldDescriptor.TYPE_BOOL: "bool",
    FieldDescriptor.TYPE_INT32: "int32",
    FieldDescriptor.TYPE_INT64: "int64",
    FieldDescriptor.TYPE_DOUBLE: "double",
    FieldDescriptor.TYPE_ENUM: "enum",
}


def fields_of(message: Descriptor) -> Fields:
    return {field.name: (field.number, kind_of(field)) for field in message.fields}


def kind_of(field: FieldDescriptor) -> str:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return "map"
    kind = field.message_type.name if field.message_type is not None else KINDS[field.type]
    return f"{kind}*" if field.is_repeated else kind


@pytest.mark.parametrize("message", known())
def test_fields_have_the_numbers_that_clients_were_made_from(message: str) -> None:
    package = "shannon.common" if message.startswith("common.") else "shannon.orchestrator"
    name = message.removeprefix("common.")
    mine = descriptor_pool.Default().FindMessageTypeByName(f"{package}.{name}")  # pyright: ignore[reportUnknownMemberType] - the pool has no types
    assert fields_of(mine) == known()[message]


def test_the_service_has_the_names_that_clients_were_made_from() -> None:
    service = protocol.DESCRIPTOR.services_by_name["OrchestratorService"]
    assert service.full_name == "shannon.orchestrator.OrchestratorService"
    assert sorted(each.name for each in service.methods) == sorted(METHODS)
    for each in service.methods:
        assert (each.input_type.name, each.output_type.name) == (f"{each.name}Request", f"{each.name}Response")
    assert protocol.TaskStatus.items() == [(f"TASK_STATUS_{name}", number) for number, name in enumerate(STATES)]


def theirs() -> dict[str, type[Any]]:
    """Messages of a client that has nothing of ours: made from the numbers alone, in a pool of its own."""
    file = descriptor_pb2.FileDescriptorProto(name="client.proto", package="client", syntax="proto3")
    file.dependency.extend(["google/protobuf/struct.proto", "google/protobuf/timestamp.proto"])
    file.message_type.add(name="Anything")
    for message, fields in known().items():
        made = file.message_type.add(name=message.removeprefix("common."))
        for name, (number, kind) in fields.items():
            made.field.add(name=name, number=number, **typed(kind))
    pool = descriptor_pool.DescriptorPool()
    for dependency in (struct_pb2, timestamp_pb2, empty_pb2):
        pool.AddSerializedFile(dependency.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return {
        name: GetMessageClass(pool.FindMessageTypeByName(f"client.{name}"))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType] - the pool has no types
        for name in (message.removeprefix("common.") for message in known())
    }


def typed(kind: str) -> dict[str, Any]:
    proto = descriptor_pb2.FieldDescriptorProto
    label = proto.LABEL_REPEATED if kind.endswith("*") or kind == "map" else proto.LABEL_OPTIONAL
    plain = {
        **{"string": proto.TYPE_STRING, "bool": proto.TYPE_BOOL, "double": proto.TYPE_DOUBLE},
        # an enum is a number on the wire
        **{"int32": proto.TYPE_INT32, "int64": proto.TYPE_INT64, "enum": proto.TYPE_INT32},
    }
    bare = kind.removesuffix("*")
    if bare in plain:
        return {"label": label, "type": plain[bare]}
    if bare in ("Struct", "Timestamp"):
        return {"label": label, "type": proto.TYPE_MESSAGE, "type_name": f".google.protobuf.{bare}"}
    mine = bare if bare in {name.removeprefix("common.") for name in known()} else "Anything"
    return {"label": label, "type": proto.TYPE_MESSAGE, "type_name": f".client.{mine}"}


async def test_a_client_that_has_only_the_numbers_can_talk(rpc: Wire) -> None:
    messages = theirs()

    async def call(method: str, **fields: Any) -> Any:
        stub: Any = rpc.channel.unary_unary(
            f"/shannon.orchestrator.OrchestratorService/{method}",
            request_serializer=messages[f"{method}Request"].SerializeToString,
            response_deserializer=messages[f"{method}Response"].FromString,
        )
        return await stub(messages[f"{method}Request"](**fields), timeout=30)

    answer = await call(
        "SubmitTask",
        metadata={"user_id": "dev", "session_id": "s1"},
        query="Say hello",
        context={"history_window_size": 10},
        auto_decompose=True,
    )
    assert answer.workflow_id == answer.task_id and answer.status == 1

    async def ended() -> bool:
        return (await call("GetTaskStatus", task_id=answer.task_id)).status == STATES.index("COMPLETED")

    await until(ended)
    status = await call("GetTaskStatus", task_id=answer.task_id, include_details=True)
    assert status.result and status.progress == 1.0 and status.metrics.token_usage.total_tokens > 0
    [listed] = (await call("ListTasks", user_id="dev", session_id="s1")).tasks
    assert (listed.task_id, listed.query, listed.status) == (answer.task_id, "Say hello", 3)
    assert not (await call("CancelTask", task_id=answer.task_id)).success
    assert {each.name for each in (await call("ListTemplates")).templates} >= {"simple_analysis"}
    assert told(status) == "COMPLETED"


def test_the_committed_python_is_what_the_protocol_makes(tmp_path: Path) -> None:
    protocols = sorted(str(file.relative_to(ROOT / "src")) for file in (ROOT / "src" / FOLDER).glob("*.proto"))
    made = [f"--proto_path={ROOT / 'src'}", f"--python_out={tmp_path}", f"--pyi_out={tmp_path}", *protocols]
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *made], check=True)
    names = sorted(file.name for file in (tmp_path / FOLDER).iterdir())
    assert len(names) == 2 * len(protocols)
    same, _, _ = filecmp.cmpfiles(tmp_path / FOLDER, ROOT / "src" / FOLDER, names, shallow=False)
    assert sorted(same) == names, "run `make proto` and commit what it writes"
