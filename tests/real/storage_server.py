"""S3 by moto, behind a gate that asks AWS's own library whether an address is signed as it should be.

Prints the port that it listens at. One bucket, `calls`; one key.
"""

import sys
from datetime import datetime, timedelta, timezone
from threading import Thread
from urllib.parse import parse_qsl, quote

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

ACCESS_KEY, SECRET_KEY, REGION = sys.argv[1:4]

backend = DomainDispatcherApplication(create_backend_app)


def is_signed(environ):
    """Signs the same request once more, and compares."""
    query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    given = query.pop("X-Amz-Signature", "")
    credential = query.get("X-Amz-Credential", "")
    signed = query.get("X-Amz-SignedHeaders", "").split(";")
    at = query.get("X-Amz-Date", "")
    if not credential.startswith(f"{ACCESS_KEY}/{at[:8]}/{REGION}/s3/"):
        return False
    moment = datetime.strptime(at, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    valid = timedelta(seconds=int(query.get("X-Amz-Expires", "0")))
    if not timedelta(minutes=-5) < datetime.now(timezone.utc) - moment < valid:
        return False
    path = quote(environ.get("PATH_INFO", "/"), safe="/-_.~")
    host = environ["HTTP_HOST"]
    request = AWSRequest(method=environ["REQUEST_METHOD"], url=f"http://{host}{path}", params=query)
    for name in signed:
        value = environ.get("HTTP_" + name.upper().replace("-", "_"))
        if value is None:
            return False
        request.headers[name] = value
    request.context["timestamp"] = at
    auth = S3SigV4QueryAuth(Credentials(ACCESS_KEY, SECRET_KEY), "s3", REGION)
    canonical = auth.canonical_request(request)
    return auth.signature(auth.string_to_sign(request, canonical), request) == given


def gate(environ, start_response):
    if is_signed(environ):
        return backend(environ, start_response)
    start_response("403 Forbidden", [("Content-Type", "application/xml")])
    print("refused", environ["REQUEST_METHOD"], environ["PATH_INFO"], file=sys.stderr, flush=True)
    return [b"<Error><Code>SignatureDoesNotMatch</Code><Message>The signature is wrong.</Message></Error>"]


server = make_server("127.0.0.1", 0, gate, threaded=True)
Thread(target=server.serve_forever, daemon=True).start()

# moto's own state, in this process: no request is needed.
from moto.backends import get_backend  # noqa: E402
from moto.core import DEFAULT_ACCOUNT_ID  # noqa: E402

get_backend("s3")[DEFAULT_ACCOUNT_ID]["aws"].create_bucket("calls", REGION)
print("listening", server.port, flush=True)
sys.stdin.read()
