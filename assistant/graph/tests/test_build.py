"""The real graph with the offline model and the real checkpointer."""

import dataclasses
import json

import pytest
from django.db import connection
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from allocations.models import Allocation, Membership
from assistant import approvals, prompts
from assistant.conftest import context
from assistant.enums import ToolStatus
from assistant.graph import checkpoints
from assistant.graph.build import RECURSION_LIMIT, build_agent, config_of, offline_model, system_prompt
from assistant.models import Proposal, ToolCall
from assistant.providers.offline.model import OfflineModel
from assistant.tools import registry
from assistant.tools.caller import Caller

BOOK = "book 412W103 on NPG 1 for brake December 21 to 22"


def turn(ctx, text, *, checkpointer=None, model=None):
    caller = Caller(ctx)
    agent = build_agent(caller, model or offline_model(caller), checkpointer=checkpointer)
    return agent.invoke({"messages": [HumanMessage(text)]}, context=ctx, config=config_of(ctx))["messages"]


def test_a_booking_turn_proposes_is_approved_and_told_of_in_the_next(committed_world, wednesday):
    world = committed_world
    ctx = context(world)
    with checkpoints.saver() as saver:
        messages = turn(ctx, BOOK, checkpointer=saver)
        assert [type(message) for message in messages] == [HumanMessage, AIMessage, ToolMessage, AIMessage]
        assert "21 – 22 Dec 2026" in messages[-1].text
        proposal = Proposal.objects.get()
        assert (str(proposal.run_id), proposal.call_id) == (str(ctx.run_id), messages[1].tool_calls[0]["id"])
        assert approvals.approve(proposal.pk, user=world.users["scheduler"]).carried_out
        more = turn(ctx, "where is 412W103?", checkpointer=saver)
    assert len(more) == 8
    assert "NPG 1" in more[-1].text
    assert '"status": "Carried out"' in system_prompt(Caller(ctx))


def test_a_turn_taken_up_again_after_its_tool_proposes_nothing_more(committed_world, wednesday):
    """As if the worker had died between the tool's write and the graph's checkpoint."""
    ctx = context(committed_world)
    first = turn(ctx, BOOK)
    again = turn(ctx, BOOK)
    assert Proposal.objects.count() == 1
    assert ToolCall.objects.count() == 1
    assert json.loads(first[2].text)["proposal"] == json.loads(again[2].text)["proposal"]


def test_rights_withdrawn_in_mid_run_count(committed_world, wednesday):
    world, ctx = committed_world, context(committed_world)
    caller = Caller(ctx)
    agent = build_agent(caller, offline_model(caller))
    Membership.objects.filter(user=world.users["scheduler"]).update(role="viewer")
    messages = agent.invoke({"messages": [HumanMessage(BOOK)]}, context=ctx, config=config_of(ctx))["messages"]
    assert json.loads(messages[2].text)["status"] == "not-allowed"
    assert Proposal.objects.count() == 0


def test_a_tool_s_exception_is_a_safe_text(committed_world, wednesday, monkeypatch, caplog):
    def broken(caller, args):
        raise RuntimeError("the password is hunter2")

    tool = registry.TOOLS["list_dynos"]
    monkeypatch.setitem(registry.TOOLS, "list_dynos", dataclasses.replace(tool, run=broken))
    ctx = context(committed_world)
    messages = turn(ctx, "list the dynos")
    assert "hunter2" not in "".join(message.text for message in messages)
    call = ToolCall.objects.get()
    assert (call.status, call.error) == (ToolStatus.FAILED, "RuntimeError: the password is hunter2")


def test_a_model_that_never_stops_is_stopped(committed_world, wednesday):
    class Endless(OfflineModel):
        def _generate(self, messages, stop=None, run_manager=None, **kwargs):
            result = super()._generate([HumanMessage("list the dynos")], **kwargs)
            result.generations[0].message.tool_calls[0]["id"] = f"call-{len(messages)}"
            result.generations[0].message.id = f"message-{len(messages)}"
            return result

    ctx = context(committed_world)
    caller = Caller(ctx)
    model = Endless(vocabulary=offline_model(caller).vocabulary)
    messages = turn(ctx, "go on", model=model)
    assert len(messages) < RECURSION_LIMIT
    assert "limit" in messages[-1].text.lower()


def test_viewers_are_offered_no_writes(world, wednesday):
    offered = {tool.name for tool in registry.offered(Caller(context(world, "viewer")))}
    assert offered == {tool.name for tool in registry.TOOLS.values() if not tool.writes}
    assert "set_maintenance" in {tool.name for tool in registry.offered(Caller(context(world)))}


def test_the_prompt_names_the_live_text_and_nothing_of_another_ground(world, caller):
    prompt = system_prompt(caller)
    assert prompts.LIVE == "assistant-1"
    assert len(prompts.digest()) == 64
    assert "2026-11-18" in prompt
    assert "Brake" in prompt
    assert "South" not in prompt


def test_the_graph_keeps_its_tables_in_a_schema_of_its_own(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", [checkpoints.SCHEMA])
        tables = [name for (name,) in cursor.fetchall()]
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE 'checkpoint%%'")
        in_public = cursor.fetchone()[0]
    assert tables == ["checkpoint_blobs", "checkpoint_migrations", "checkpoint_writes", "checkpoints"]
    assert in_public == 0


@pytest.mark.parametrize("name", ["scheduler", "viewer"])
def test_another_ground_s_vehicle_does_not_exist(committed_world, wednesday, name):
    messages = turn(context(committed_world, name), "where is 365W201?")
    assert "STC" not in "".join(message.text for message in messages)
    assert Allocation.objects.filter(vehicle__tag="365W201").count() == 1
