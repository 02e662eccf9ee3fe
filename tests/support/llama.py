"""A real llama.cpp server on a tiny model made on the spot: half a megabyte of random weights, byte-level vocabulary.

What it says is noise; that it says it as the real server does (framing, usage, error shapes) is the point. Run as a
module this is the server's process: `python -m tests.support.llama GGUF CONTEXT chat|embed`.
"""

import importlib.util
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
ALIAS = "tiny"
CONTEXT = 512  # tokens; a byte of text is about one
START_S = 60.0
_ABSENT = [name for name in ("xllamacpp", "gguf", "numpy") if importlib.util.find_spec(name) is None]
needs_llama = pytest.mark.skipif(bool(_ABSENT), reason=f"not installed: {', '.join(_ABSENT)}")
_WORDS = [
    *"▁abcdefghijklmnopqrstuvwxyzABCD.,0123456789:/<>|{}\"_",
    "▁the", "▁a", "▁of", "▁to", "▁and", "▁in", "▁is", "ing", "er", "▁hello", "▁world",
]  # fmt: skip
_TEMPLATE = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
_WIDTH, _HEADS, _LAYERS, _INNER, _TRAINED = 64, 4, 2, 128, 2048


def write_model(path: Path) -> None:
    """Write the model, the same bytes each time."""
    import gguf

    tokens = [b"<unk>", b"<s>", b"</s>", *(f"<0x{byte:02X}>".encode() for byte in range(256))]
    kinds = [gguf.TokenType.UNKNOWN, gguf.TokenType.CONTROL, gguf.TokenType.CONTROL, *[gguf.TokenType.BYTE] * 256]
    words = [word.encode() for word in [*_WORDS, "\n"]]
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_name("tiny-random-llama")
    writer.add_context_length(_TRAINED)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(_LAYERS)
    writer.add_feed_forward_length(_INNER)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(_WIDTH // _HEADS)
    writer.add_vocab_size(len(tokens) + len(words))
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([*tokens, *words])
    writer.add_token_scores([0.0] * len(tokens) + [-float(place) for place in range(1, len(words) + 1)])
    writer.add_token_types([*kinds, *[gguf.TokenType.NORMAL] * len(words)])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(True)
    writer.add_chat_template(_TEMPLATE)
    for name, tensor in _weights(len(tokens), len(tokens) + len(words)):
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _weights(plain: int, vocabulary: int) -> Iterator[tuple[str, Any]]:
    """Random weights from a fixed seed; the first `plain` tokens (bytes and the end) are made unlikely."""
    import numpy

    dice = numpy.random.default_rng(0)

    def drawn(*shape: int, scale: float = 0.05) -> Any:
        return (dice.standard_normal(shape) * scale).astype(numpy.float32)

    yield "token_embd.weight", drawn(vocabulary, _WIDTH, scale=0.5)
    yield "output_norm.weight", numpy.ones(_WIDTH, numpy.float32)
    output = drawn(vocabulary, _WIDTH, scale=0.3)
    output[:plain] *= 0.0
    yield "output.weight", output
    for layer in range(_LAYERS):
        yield f"blk.{layer}.attn_norm.weight", numpy.ones(_WIDTH, numpy.float32)
        yield f"blk.{layer}.ffn_norm.weight", numpy.ones(_WIDTH, numpy.float32)
        for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
            yield f"blk.{layer}.{part}.weight", drawn(_WIDTH, _WIDTH)
        yield f"blk.{layer}.ffn_gate.weight", drawn(_INNER, _WIDTH)
        yield f"blk.{layer}.ffn_up.weight", drawn(_INNER, _WIDTH)
        yield f"blk.{layer}.ffn_down.weight", drawn(_WIDTH, _INNER)


@dataclass(frozen=True)
class Llama:
    """A running server."""

    process: subprocess.Popen[str]
    origin: str

    @property
    def base_url(self) -> str:
        return f"{self.origin}/v1"

    def provider(self, **changes: Any) -> dict[str, Any]:
        """Its row in `pointsman.yaml`; `changes` go to its one model."""
        model = {"id": ALIAS, "tier": "small", "context": CONTEXT, "caps": [], "price": {"input": 1.0, "output": 2.0}}
        return {"api": "openai", "base_url": self.base_url, "key": {"none": True}, "probe": {"by": "none"},
                "models": [model | changes]}  # fmt: skip

    def kill(self) -> None:
        """`kill -9`, and wait until it is gone."""
        self.process.kill()
        self.process.wait()


@contextmanager
def llama(model: Path, purpose: str = "chat", context: int = CONTEXT) -> Iterator[Llama]:
    """Start a server for `chat` or to `embed`, ready when it is yielded, killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.llama", str(model), str(context), purpose],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        ready, _, _ = select.select([process.stdout], [], [], START_S)
        origin = process.stdout.readline().strip() if ready else ""
        assert origin.startswith("http://"), "llama.cpp did not start"
        yield Llama(process, origin)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def serve(model: str, context: int, purpose: str) -> None:
    """The server's process: says where it listens, and serves until it is told to stop."""
    import xllamacpp

    given = xllamacpp.CommonParams()
    given.model.path = model
    given.hostnames, given.port = ["127.0.0.1"], 0
    given.model_alias = {ALIAS}
    given.n_ctx, given.n_parallel, given.n_gpu_layers = context, 1, 0
    given.cpuparams.n_threads = given.cpuparams_batch.n_threads = 1
    given.warmup, given.ui, given.offline, given.use_jinja = False, False, True, True
    if purpose == "embed":
        given.embedding = True
        given.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    server = xllamacpp.Server(given)
    print(server.listening_address, flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), sys.argv[3])
