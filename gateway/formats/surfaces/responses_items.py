"""Input items of `/v1/responses` as neutral messages.

Items of one side that follow each other are one turn: reasoning, text and calls of the assistant, and all results of
its calls. Ids that this gateway made up are recognised by their mark: nothing of them was ever stored.
"""

from collections.abc import Mapping

from gateway.core.chat import Image, Json, Media, Message, Part, Role, Text, Thinking, ToolCall, ToolResult
from gateway.formats import readers
from gateway.formats.sealed_reasoning import unseal
from gateway.formats.surface import BadRequest
from gateway.formats.surfaces.chat_request import split_data_url
from gateway.formats.surfaces.parts import read_parts

MARK = "pm_"  # after the prefix of an id (`resp_`, `msg_`, `rs_`, `fc_`): made by this gateway
_ROLES = {
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
}


def is_ours(name: Json) -> bool:
    """Whether an id was made up by this gateway."""
    return isinstance(name, str) and name.partition("_")[2].startswith(MARK)


def is_our_reasoning(name: Json) -> bool:
    """Whether an id was made up for reasoning: a model goes on without it, so a mere reference to it is left out.

    The AI SDK makes these by itself, and sends the calls that followed in full.
    """
    return isinstance(name, str) and name.startswith(f"rs_{MARK}")


def read_input(value: Json, unplaced: set[str]) -> list[Message]:
    """Raises `BadRequest`."""
    if isinstance(value, str):
        return [Message(Role.USER, (Text(value),))]
    turns: list[tuple[Role, list[Part]]] = []
    for index, item in enumerate(readers.items(value, "input")):
        where = f"input[{index}]"
        read = _item(readers.mapping(item, where), where, unplaced)
        if read is None:
            continue
        role, parts = read
        if turns and turns[-1][0] is role and role in (Role.ASSISTANT, Role.TOOL):
            turns[-1][1].extend(parts)
        else:
            turns.append((role, list(parts)))
    return [Message(role, tuple(parts)) for role, parts in turns]


def _item(item: Mapping[str, Json], where: str, unplaced: set[str]) -> tuple[Role, tuple[Part, ...]] | None:
    kind = readers.optional_text(item, "type", f"{where}.")
    if kind is None:
        kind = "message" if "role" in item else "item_reference"
    match kind:
        case "message":
            return _message(item, where, unplaced)
        case "function_call":
            call = ToolCall(
                id=readers.filled(item.get("call_id"), f"{where}.call_id"),
                name=readers.filled(item.get("name"), f"{where}.name"),
                arguments=readers.text(item.get("arguments"), f"{where}.arguments"),
            )
            if item.get("namespace") is not None:
                unplaced.add("input[].namespace")
            return Role.ASSISTANT, (call,)
        case "function_call_output":
            return Role.TOOL, (_result(item, where, unplaced),)
        case "reasoning":
            return Role.ASSISTANT, _reasoning(item, where)
        case "item_reference" if is_our_reasoning(item.get("id")):
            unplaced.add("input[].type=reasoning")
            return None
        case "item_reference" if is_ours(item.get("id")):
            advice = "nothing is stored here, so send the item itself (SDKs do with store: false)"
            raise BadRequest(f"{where} refers to an item of an earlier answer: {advice}.", where)
        case other:
            unplaced.add(f"input[].type={other}"[:80])
            return None


def _message(item: Mapping[str, Json], where: str, unplaced: set[str]) -> tuple[Role, tuple[Part, ...]]:
    role = _ROLES[readers.one_of(item.get("role"), f"{where}.role", tuple(_ROLES))]
    at = f"{where}.content"
    if item.get("content") is None:
        raise BadRequest(f"{at} is missing: it must be a string or an array of parts.", at)
    return role, read_parts(item["content"], at, unplaced, "a string or an array of parts", _part)


def _part(part: Mapping[str, Json], where: str, unplaced: set[str]) -> Part | None:
    match readers.filled(part.get("type"), f"{where}.type"):
        case "input_text" | "output_text" | "text":
            return Text(readers.text(part.get("text"), f"{where}.text"))
        case "refusal":
            return Text(readers.text(part.get("refusal"), f"{where}.refusal"))
        case "input_image":
            return _image(part, where, unplaced)
        case "input_file":
            return _file(part, where, unplaced)
        case "input_audio":
            audio = readers.mapping(part.get("input_audio"), f"{where}.input_audio")
            data = readers.filled(audio.get("data"), f"{where}.input_audio.data")
            form = readers.filled(audio.get("format"), f"{where}.input_audio.format")
            return Media("audio", data, media_type=f"audio/{form}")
        case other:
            unplaced.add(f"content[].type={other}"[:80])
            return None


def _image(part: Mapping[str, Json], where: str, unplaced: set[str]) -> Image:
    detail = readers.optional_text(part, "detail", f"{where}.")
    if part.get("image_url") is None and part.get("file_id"):
        unplaced.add("file_id")  # known to the one provider that gave it
        return Image(url="", detail=detail)
    url = readers.filled(part.get("image_url"), f"{where}.image_url")
    inline = split_data_url(url)
    if inline is not None:
        return Image(data=inline[1], media_type=inline[0], detail=detail)
    return Image(url=url, detail=detail)


def _file(part: Mapping[str, Json], where: str, unplaced: set[str]) -> Media:
    name = readers.optional_text(part, "filename", f"{where}.")
    file_id = readers.optional_text(part, "file_id", f"{where}.")
    if file_id:
        unplaced.add("file_id")
        return Media("file", file_id=file_id, name=name)
    url = readers.optional_text(part, "file_url", f"{where}.")
    if url:
        return Media("file", url=url, media_type="application/pdf", name=name)
    data = readers.filled(part.get("file_data"), f"{where}.file_data")
    form, data = split_data_url(data) or ("application/pdf", data)
    return Media("file", data, media_type=form, name=name)


def _result(item: Mapping[str, Json], where: str, unplaced: set[str]) -> ToolResult:
    call_id = readers.filled(item.get("call_id"), f"{where}.call_id")
    at = f"{where}.output"
    output = item.get("output")
    parts = read_parts("" if output is None else output, at, unplaced, "a string or an array of parts", _part)
    return ToolResult(call_id, tuple(part for part in parts if isinstance(part, Text | Image | Media)))


def _reasoning(item: Mapping[str, Json], where: str) -> tuple[Thinking, ...]:
    """Nothing for reasoning of which only the id is here: its provider may look that up, others need not know."""
    shown: list[str] = []
    for key in ("content", "summary"):
        if item.get(key) is not None and not shown:
            found = enumerate(readers.items(item[key], f"{where}.{key}"))
            texts = ((readers.mapping(part, f"{where}.{key}[{at}]").get("text"), at) for at, part in found)
            shown = [readers.text(text, f"{where}.{key}[{at}].text") for text, at in texts]
    text = "\n\n".join(shown)
    sealed = readers.optional_text(item, "encrypted_content", f"{where}.")
    if sealed:
        return (unseal(sealed, text),)
    return (Thinking(text),) if text else ()
