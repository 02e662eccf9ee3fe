"""Parts that cannot stand where they stand are nothing."""

from gateway.core.chat import Message, Role, Text, Thinking
from gateway.formats.cohere.messages import write_messages


def test_reasoning_of_a_user_is_nobodys() -> None:
    message = Message(Role.USER, (Thinking("Hm."), Text("hi")))
    assert write_messages([message], reasons=True) == [{"role": "user", "content": "hi"}]
