"""The runner with a hosted model: the real Gemini client against a local server."""

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from assistant.providers import hosted
from assistant.providers.tests.gemini_stub import GeminiStub, call, error, text

ALLOCATE = {"vehicle": "412W103", "test_type": "brake", "start_date": "2026-12-14", "days_to_complete": 2}


@pytest.fixture
def stub(settings) -> Iterator[GeminiStub]:
    with GeminiStub() as server:
        settings.GEMINI_API_KEY, settings.GEMINI_BASE_URL = "a-key", server.url
        hosted.hosted_models.cache_clear()
        yield server
    hosted.hosted_models.cache_clear()


def run(tmp_path: Path, cases: str, *, model: str = "gemini-2.5-flash") -> list[dict]:
    path, out = tmp_path / "cases.yaml", StringIO()
    path.write_text(cases)
    call_command("eval_assistant", cases=str(path), model=model, as_json=True, stdout=out)
    return json.loads(out.getvalue())["cases"]


def test_cases_go_to_the_model_that_is_named(stub, transactional_db, tmp_path):
    stub.answers(
        call("list_dynos", {}),
        text("There are NPG 1", " and NPG 21."),
        call("auto_allocate_vehicle", ALLOCATE),
        text("I have proposed it."),
        text("For which vehicle?"),
        error(400, "API key not valid.", reason="INVALID_ARGUMENT"),
    )
    cases = (
        "- {id: list, say: 'what do you have?', tools: [list_dynos], outcome: answer, has: [NPG 21]}\n"
        "- {id: book, say: 'book it', tools: [auto_allocate_vehicle], args: {days_to_complete: 2},"
        " outcome: proposal}\n"
        "- {id: ask, say: 'book a dyno', tools: [], outcome: clarify}\n"
        "- {id: broken, say: 'list the dynos'}\n"
    )
    listed, booked, unnamed, broken = run(tmp_path, cases)
    assert (listed["pass"], listed["answer"], listed["tools"]) == (
        True,
        "There are NPG 1 and NPG 21.",
        [{"name": "list_dynos", "args": {}}],
    )
    assert (booked["pass"], booked["outcome"]) == (True, "proposal")
    assert "412W103" in booked["answer"]
    assert unnamed["pass"] is True
    assert broken["pass"] is False
    assert "API key not valid" in broken["why"]
    assert [request["path"].split("/")[-1].split(":")[0] for request in stub.requests] == ["gemini-2.5-flash"] * 6
    body = stub.requests[0]["body"]
    assert "2026-11-18" in json.dumps(body["systemInstruction"])
    offered = [declaration["name"] for tool in body["tools"] for declaration in tool["functionDeclarations"]]
    assert {"list_dynos", "auto_allocate_vehicle", "query_database"} <= set(offered)
