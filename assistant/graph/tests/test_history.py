from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage, ToolMessage

from assistant.graph import history


def call(id_: str, *others: str, message_id: str = "a") -> AIMessage:
    return AIMessage(
        "",
        id=message_id,
        tool_calls=[{"name": "list_dynos", "args": {}, "id": call_id} for call_id in (id_, *others)],
    )


def described(messages) -> list[tuple]:
    return [(message.type, message.text, getattr(message, "tool_call_id", None)) for message in messages]


NEXT = HumanMessage("next", id="run-2")


def test_a_history_that_holds_together_is_left_alone():
    whole = [HumanMessage("q", id="run-1"), call("1"), ToolMessage("r", tool_call_id="1"), AIMessage("answer")]
    assert history.opening(whole, NEXT) == [NEXT]
    assert history.opening([], NEXT) == [NEXT]


def test_calls_without_a_result_are_closed_by_what_is_known_or_as_failed():
    cut = [HumanMessage("q", id="run-1"), call("1", "2", "3"), ToolMessage("r", tool_call_id="2")]
    added = history.opening(cut, NEXT, results={"3": '{"status": "ok"}'}, partial_answer="Well")
    assert described(added) == [
        ("tool", history.CUT_OFF, "1"),
        ("tool", '{"status": "ok"}', "3"),
        ("ai", "Well", None),
        ("human", "next", None),
    ]
    assert [message.status for message in added[:2]] == ["error", "success"]


def test_calls_left_open_further_back_are_closed_where_they_stand():
    broken = [HumanMessage("q", id="run-0"), call("1"), HumanMessage("q", id="run-1"), AIMessage("answer", id="b")]
    first, *rest = history.opening(broken, NEXT)
    assert isinstance(first, RemoveMessage)
    assert described(rest) == [
        ("human", "q", None),
        ("ai", "", None),
        ("tool", history.CUT_OFF, "1"),
        ("human", "q", None),
        ("ai", "answer", None),
        ("human", "next", None),
    ]


def test_a_turn_without_an_answer_gets_one():
    assert described(history.opening([HumanMessage("q", id="run-1")], NEXT)) == [
        ("ai", history.NO_ANSWER, None),
        ("human", "next", None),
    ]


def test_what_is_tried_again_takes_the_place_of_the_first_try():
    messages = [
        HumanMessage("before", id="run-0"),
        AIMessage("answer"),
        HumanMessage("q", id="run-1"),
        AIMessage("half"),
    ]
    first, *rest = history.opening(messages, NEXT, superseded=["run-1"])
    assert isinstance(first, RemoveMessage)
    assert described(rest) == [("human", "before", None), ("ai", "answer", None), ("human", "next", None)]
