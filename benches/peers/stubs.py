"""Ears, mind and mouth of fixed delay, for whoever is measured: the delays that `webox bench` has
for a daemon of its own (`src/rehearsal/bench/stubs.rs`), in a process of its own.

usage: stubs.py [--port 9100] [--hearing 150] [--thinking 300] [--speaking 100]

It speaks as OpenAI does: chat completions, transcriptions, speech. Everything is answered at once
after its delay. Prints "listening" with its base address, and serves until it is told to stop.
"""
import argparse
import asyncio
import itertools
import json
import pathlib
import struct

from aiohttp import web

QUESTION = pathlib.Path(__file__).parents[2] / "src/rehearsal/bench/question.ulaw"

# No two answers are alike: who keeps spoken sentences has to have these spoken as well.
SENTENCE = "Nous ouvrons à midi, c'est la réponse numéro {n}. Souhaitez-vous autre chose, après la {n} ?"

UNDERSTOOD = "À quelle heure ouvrez-vous demain ?"

# A fair speaker takes so long for a character.
CHARACTER_SECONDS = 0.065

# 16-bit samples at 24 kHz, as OpenAI speaks.
RATE = 24_000
BYTES_A_SECOND = 2 * RATE

# No text is spoken for longer.
LONGEST_SECONDS = 30


def linear(byte):
    """A sample of μ-law on a 16-bit scale (ITU-T G.711)."""
    bits = ~byte & 0xFF
    magnitude = ((((bits & 0x0F) << 3) + 0x84) << (bits >> 4 & 7)) - 0x84
    return -magnitude if bits & 0x80 else magnitude


def sound():
    """Speech of the telephone at 24 kHz, again and again; answers are parts of it."""
    sample = [struct.pack("<h", linear(byte)) * 3 for byte in range(256)]
    once = b"".join(sample[byte] for byte in QUESTION.read_bytes())
    whole = LONGEST_SECONDS * BYTES_A_SECOND
    return (once * (whole // len(once) + 1))[:whole]


def wav(samples):
    """The same with the header of a WAV file."""
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, BYTES_A_SECOND, 2, 16)
    data = struct.pack("<4sI", b"data", len(samples)) + samples
    return struct.pack("<4sI4s", b"RIFF", 4 + len(form) + len(data), b"WAVE") + form + data


class Stubs:
    def __init__(self, arguments):
        self.hearing = arguments.hearing / 1_000
        self.thinking = arguments.thinking / 1_000
        self.speaking = arguments.speaking / 1_000
        self.numbers = itertools.count(100)
        self.sound = sound()

    async def hear(self, request):
        await request.read()
        await asyncio.sleep(self.hearing)
        return web.json_response({"text": UNDERSTOOD})

    async def think(self, request):
        asked = await request.json()
        text = SENTENCE.format(n=next(self.numbers))
        kind, body = thought(asked, text)
        await asyncio.sleep(self.thinking)
        return web.Response(body=body, content_type=kind)

    async def speak(self, request):
        asked = await request.json()
        length = min(len(asked.get("input", "")) * CHARACTER_SECONDS, LONGEST_SECONDS)
        spoken = self.sound[: int(length * BYTES_A_SECOND) & ~1]
        await asyncio.sleep(self.speaking)
        form = asked.get("response_format", "pcm")
        if form == "pcm":
            return web.Response(body=spoken, content_type="audio/pcm")
        if form == "wav":
            return web.Response(body=wav(spoken), content_type="audio/wav")
        message = f"{form} is not spoken here: ask for pcm or wav"
        return web.json_response({"error": {"message": message}}, status=400)


def thought(asked, text):
    """A text in the form that is asked for: whole, or word by word as events."""
    usage = {"prompt_tokens": 700, "completion_tokens": 25, "total_tokens": 725}
    common = {"id": "chatcmpl-1", "created": 1, "model": "stub"}
    if asked.get("stream") is not True:
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        whole = {**common, "object": "chat.completion", "choices": [choice], "usage": usage}
        return "application/json", json.dumps(whole).encode()

    def chunk(choices, usage=None):
        event = {**common, "object": "chat.completion.chunk", "choices": choices, "usage": usage}
        return f"data: {json.dumps(event)}\n\n"

    def delta(delta, reason=None):
        return chunk([{"index": 0, "delta": delta, "finish_reason": reason}])

    events = [delta({"role": "assistant", "content": ""})]
    # Each word keeps the space behind it, as models send them.
    words = text.split(" ")
    events += [delta({"content": f"{word} "}) for word in words[:-1]]
    events += [delta({"content": words[-1]}), delta({}, "stop")]
    if (asked.get("stream_options") or {}).get("include_usage"):
        events.append(chunk([], usage))
    events.append("data: [DONE]\n\n")
    return "text/event-stream", "".join(events).encode()


def main():
    parser = argparse.ArgumentParser(description="A provider of fixed delays, in milliseconds.")
    parser.add_argument("--port", type=int, default=9100)
    parser.add_argument("--hearing", type=float, default=150)
    parser.add_argument("--thinking", type=float, default=300)
    parser.add_argument("--speaking", type=float, default=100)
    arguments = parser.parse_args()
    stubs = Stubs(arguments)
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_post("/v1/audio/transcriptions", stubs.hear)
    app.router.add_post("/v1/chat/completions", stubs.think)
    app.router.add_post("/v1/audio/speech", stubs.speak)

    def listening(_):
        print(f"listening http://127.0.0.1:{arguments.port}/v1", flush=True)

    web.run_app(app, host="127.0.0.1", port=arguments.port, print=listening, access_log=None)


if __name__ == "__main__":
    main()
