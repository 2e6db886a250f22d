"""Piper as webox runs it, without its seconds of start: asks the one that `speech.py` keeps warm.

usage: piper.py PORT --model FILE --output-raw, the words on standard input
"""
import shutil
import socket
import sys

with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as warm:
    warm.sendall(b"say\n" + sys.stdin.buffer.read())
    warm.shutdown(socket.SHUT_WR)
    with warm.makefile("rb") as sound:
        shutil.copyfileobj(sound, sys.stdout.buffer)
