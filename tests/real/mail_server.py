"""A mail server that takes letters over STARTTLS, from one user, and prints each as a line of JSON.

Usage: mail_server.py FOLDER. It makes its certificate for localhost in the folder: cert.pem.
"""

import asyncio
import email
import email.policy
import json
import ssl
import subprocess
import sys

from aiosmtpd.controller import UnthreadedController
from aiosmtpd.smtp import AuthResult

folder = sys.argv[1]
cert, key = f"{folder}/cert.pem", f"{folder}/key.pem"
subprocess.run(
    ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
     "-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE",
     "-keyout", key, "-out", cert],
    check=True, stderr=subprocess.DEVNULL)
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(cert, key)


def say(line):
    print(line, flush=True)


class Sink:
    async def handle_DATA(self, server, session, envelope):
        letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
        say(json.dumps({
            "from": envelope.mail_from, "to": envelope.rcpt_tos, "tls": session.ssl is not None,
            "subject": letter["subject"], "sender": letter["from"].addresses[0].display_name,
            "text": letter.get_body().get_content()}))
        return "250 kept"


def login(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login, data.password) == (b"standard", b"geheim"))


loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
controller = UnthreadedController(
    Sink(), hostname="localhost", port=0, loop=loop, tls_context=context, require_starttls=True,
    auth_required=True, authenticator=login)
controller.begin()
say(f"listening {controller.server.sockets[0].getsockname()[1]}")
loop.run_forever()
