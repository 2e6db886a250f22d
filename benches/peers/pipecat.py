"""A phone assistant on Pipecat, for `webox bench` to call: the peer that webox is compared with.

usage: pipecat.py [--port 9200] [--stop 0.4] [--resume 0]

It takes the webhooks and the `<Stream>` where webox takes them. Its providers are those of
OPENAI_BASE_URL. Pipecat is set up as its own examples for Twilio do, but for what would only cost
it: debug logs, the observers of RTVI and of turns, and a model that judges whether a turn is over.
The signature of webhooks is not checked, which webox does.
"""
import argparse
import os
import sys

# The folder of this file is searched first, and this file is called like the package.
sys.path = [place for place in sys.path if place != os.path.dirname(os.path.abspath(__file__))]

import uvicorn
from fastapi import FastAPI, Request, Response, WebSocket
from loguru import logger
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.audio.vad.vad_analyzer import VADParams
from pipecat.frames.frames import TTSSpeakFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.runner.utils import parse_telephony_websocket
from pipecat.serializers.twilio import TwilioFrameSerializer
from pipecat.services.openai.llm import OpenAILLMService
from pipecat.services.openai.stt import OpenAISTTService
from pipecat.services.openai.tts import OpenAITTSService
from pipecat.transcriptions.language import Language
from pipecat.transports.websocket.fastapi import (
    FastAPIWebsocketParams,
    FastAPIWebsocketTransport,
)
from pipecat.turns.user_stop import SpeechTimeoutUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies
from pipecat.workers.runner import WorkerRunner

GREETING = "Bonjour, ici le Banc d'essai. Que puis-je faire pour vous ?"
PERSONA = "Tu réponds au téléphone du Banc d'essai, en une phrase."

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, default=9200)
parser.add_argument(
    "--stop", type=float, default=0.4, help="seconds of silence, after which the words are asked for"
)
parser.add_argument(
    "--resume", type=float, default=0.0, help="seconds after that in which the caller may go on"
)
arguments = parser.parse_args()

app = FastAPI()


@app.post("/api/voice/webhook/incoming")
async def incoming(request: Request):
    # What Twilio called is what it can reach.
    url = f"ws://{request.headers['host']}/stream"
    twiml = f'<Response><Connect><Stream url="{url}"/></Connect></Response>'
    return Response(twiml, media_type="text/xml")


@app.post("/api/voice/webhook/status")
async def status():
    return Response(status_code=204)


@app.websocket("/stream")
async def stream(websocket: WebSocket):
    await websocket.accept()
    _, call = await parse_telephony_websocket(websocket)
    serializer = TwilioFrameSerializer(
        stream_sid=call["stream_id"],
        params=TwilioFrameSerializer.InputParams(auto_hang_up=False),
    )
    transport = FastAPIWebsocketTransport(
        websocket,
        FastAPIWebsocketParams(
            audio_in_enabled=True, audio_out_enabled=True, serializer=serializer
        ),
    )
    # Where they are and with which key is in the environment.
    stt = OpenAISTTService(settings=OpenAISTTService.Settings(language=Language.FR))
    llm = OpenAILLMService(settings=OpenAILLMService.Settings(system_instruction=PERSONA))
    # OpenAI speaks at this rate, whatever the line has.
    tts = OpenAITTSService(sample_rate=24_000)
    user, assistant = LLMContextAggregatorPair(
        LLMContext(),
        user_params=LLMUserAggregatorParams(
            vad_analyzer=SileroVADAnalyzer(params=VADParams(stop_secs=arguments.stop)),
            user_turn_strategies=UserTurnStrategies(
                stop=[SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=arguments.resume)]
            ),
        ),
    )
    worker = PipelineWorker(
        Pipeline([transport.input(), stt, user, llm, tts, transport.output(), assistant]),
        params=PipelineParams(audio_in_sample_rate=8_000, audio_out_sample_rate=8_000),
        enable_rtvi=False,
        enable_turn_tracking=False,
    )

    @transport.event_handler("on_client_connected")
    async def greet(_transport, _websocket):
        await worker.queue_frames([TTSSpeakFrame(GREETING)])

    @transport.event_handler("on_client_disconnected")
    async def leave(_transport, _websocket):
        await worker.cancel()

    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    await runner.run()


if __name__ == "__main__":
    logger.remove()
    logger.add(sys.stderr, level="WARNING")
    uvicorn.run(app, host="127.0.0.1", port=arguments.port, log_level="warning", access_log=False)
