"""One name for one model, whatever its hosts call it; and the weights a name stands for.

Conservative: names are made equal where the difference is spelling (case, vendor paths, `p` for a decimal point), and
by the short list of aliases below, each documented by the host that uses it. Nothing is guessed: two names that do not
become equal are two models.
"""

import re

# What hosts call a model -> its name elsewhere.
ALIASES = {
    "llama-3.3-70b-versatile": "llama-3.3-70b-instruct",  # Groq
    "llama-3.1-8b-instant": "llama-3.1-8b-instruct",  # Groq
    "llama-3.3-70b": "llama-3.3-70b-instruct",  # Cerebras
    "llama-3.1-8b": "llama-3.1-8b-instruct",  # Cerebras
    "llama3.1-8b": "llama-3.1-8b-instruct",  # Cerebras
    "llama-3.1-70b": "llama-3.1-70b-instruct",  # Cerebras
    "llama-4-maverick": "llama-4-maverick-17b-128e-instruct",  # OpenRouter
    "llama-4-scout": "llama-4-scout-17b-16e-instruct",  # OpenRouter
    "qwen-3-32b": "qwen3-32b",  # Cerebras
    "qwen-3.8-27b": "qwen3.8-27b",  # Cerebras
    "qwen-2.5-72b-instruct": "qwen2.5-72b-instruct",  # OpenRouter, Novita
    "qwen-2.5-7b-instruct": "qwen2.5-7b-instruct",  # OpenRouter
    "qwen-2.5-coder-32b-instruct": "qwen2.5-coder-32b-instruct",  # OpenRouter
    "qwen3-235b-a22b-2507": "qwen3-235b-a22b-instruct-2507",  # OpenRouter
    "qwen3-coder": "qwen3-coder-480b-a35b-instruct",  # OpenRouter
    "qwen3-235b-a22b-fp8": "qwen3-235b-a22b",  # the vendor's own FP8 release is what Novita serves under both names
    "kimi-k2-0905": "kimi-k2-instruct-0905",  # OpenRouter, Novita
    "kimi-k2-0905-preview": "kimi-k2-instruct-0905",  # Moonshot
    "kimi-k2-0711-preview": "kimi-k2-instruct",  # Moonshot
    "kimi-k2": "kimi-k2-instruct",  # OpenRouter
    "mistral-large-3-675b-instruct-2512": "mistral-large-2512",  # NVIDIA
    "mistral-large-3": "mistral-large-2512",  # Mistral's marketing name
    "mistral-small-3.2-24b-instruct-2506": "mistral-small-2506",  # Scaleway, OVHcloud
    "mistral-small-3.2-24b-instruct": "mistral-small-2506",  # OpenRouter
    "mistral-small-4-119b-2603": "mistral-small-2603",  # NVIDIA
    "mistral-medium-3.5-128b": "mistral-medium-2604",  # NVIDIA, Scaleway
    "mistral-medium-3-5": "mistral-medium-2604",  # OpenRouter
    "mistral-medium-3.5": "mistral-medium-2604",
    "mistral-medium-3.1": "mistral-medium-2508",  # OpenRouter
    "mistral-medium-3-instruct": "mistral-medium-2505",  # NVIDIA
    "mistral-medium-3": "mistral-medium-2505",  # OpenRouter
    "mistral-nemo": "mistral-nemo-instruct-2407",  # OpenRouter, Novita
    "open-mistral-nemo": "mistral-nemo-instruct-2407",  # Mistral
    "deepseek-chat-v3-0324": "deepseek-v3-0324",  # OpenRouter
    "deepseek-chat-v3.1": "deepseek-v3.1",  # OpenRouter
    "deepseek-v3-1": "deepseek-v3.1",  # Together
    "command-a": "command-a-03-2025",  # OpenRouter
    "jamba-1.7-large": "jamba-large-1.7",
    "gpt-5.2-chat": "gpt-5.2-chat-latest",  # OpenRouter
    "glm-5-2": "glm-5.2",  # Mistral, as are the next ones
    "zai-glm-5": "glm-5",
    "zai-glm-5-2": "glm-5.2",
    "zai-glm-5-3": "glm-5.3",
    "zai-glm-5-3-flash": "glm-5.3-flash",
    "deepseek-v4-1-flash-1017": "deepseek-v4.1-flash-1017",
}
# A vendor's moving name -> the release whose figures it may show.
_RELEASES = {"deepseek-flash": "deepseek-v4.1-flash"}  # DeepSeek's API documentation
_FIREWORKS_PATH = re.compile(r"accounts/fireworks/(?:models|routers)/")
_QUANTISED = re.compile(r"-(?:fp8|fp4|nvfp4|turbo|tput|tee|fast|fast-api|lightning|highspeed|bf16)$")
_DATED = re.compile(r"-(?:20\d{6}|20\d\d-\d\d-\d\d)$")
_TUNED = re.compile(r"-(?:instruct|it|chat|hf|preview)(?=-|$)")


def model_name(provider: str, upstream_id: str) -> str:
    """What users call the model: lower case, without the vendor's path, the same at every host."""
    name = upstream_id.lower()
    if provider == "fireworks":
        name = re.sub(r"(?<=\d)p(?=\d)", ".", _FIREWORKS_PATH.sub("", name))
    name = name.rsplit("/", 1)[-1]
    name = re.sub(r"(?<=\d)_(?=\d)", ".", name)
    name = name.removeprefix("meta-") if name.startswith("meta-llama-") else name
    name = name.removeprefix("nvidia-") if name.startswith("nvidia-nemotron") else name
    if name.startswith("claude-"):
        name = name.replace(".", "-")
    if name.startswith("qwen2-5-"):
        name = name.replace("qwen2-5-", "qwen2.5-", 1)
    return ALIASES.get(name, name)


def base_model(name: str) -> str:
    """The weights: the name without what marks tuning for dialogue (no other release of these models is served)."""
    return _TUNED.sub("", name) if not name.startswith(("gpt-", "claude-", "gemini-")) else name


def measured_as(base: str) -> tuple[str, ...]:
    """Under which names published figures of these weights may stand, most exact first.

    A figure is measured through hosts, which quantise and rename; so a host's faster variant and a dated snapshot of
    the same release inherit it.
    """
    names = [_RELEASES.get(base, base)]
    for pattern in (_DATED, _QUANTISED, _DATED):
        shorter = pattern.sub("", names[-1])
        if shorter != names[-1]:
            names.append(shorter)
    names += [_TUNED.sub("", name) for name in list(names)]
    return tuple(dict.fromkeys(names))
