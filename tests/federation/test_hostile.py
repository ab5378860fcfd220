"""A hostile partner at the listener of a real process: refused, named, and the node stays well."""

import http.client
import json
import re
import socket
import ssl
import time
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from federation.child import open_party
from isthmus.exchange.connection import Connection
from isthmus.exchange.listener import BODY_BYTES, HEAD_SECONDS
from isthmus.exchange.trust import identity, request, signing, tls
from isthmus.kernel.errors import IsthmusError
from isthmus.kernel.time import SystemClock

FLASH = "/exchange/envelopes/flash"


class Hostile:
    """Panama's keys in the hands of somebody who tries things on Antwerp."""

    def __init__(self, panama, antwerp):
        self.panama, self.antwerp = panama, antwerp
        self.node = open_party(panama.root)
        self.context = self.node.database.read(lambda tx: tls.client(tx, panama.root, antwerp.code))
        self.signer = self.node.database.read(identity.signer)

    def claim(self, path, body=b"", signer=None, to=None):
        own = signer or self.signer
        recipient = to or self.antwerp.code
        return request.header(own, recipient, "POST", path, body, SystemClock().now())

    def post(self, path, body=b"", claim=None, **headers):
        """Post and return status and code."""
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.antwerp.port, context=self.context, timeout=20
        )
        try:
            value = self.claim(path, body) if claim is None else claim
            connection.request("POST", path, body, {request.HEADER: value, **headers})
            answer = connection.getresponse()
            raw = answer.read()
            return answer.status, json.loads(raw).get("code") if raw else None
        finally:
            connection.close()

    def raw(self, data, wait=20.0):
        """Send bytes as they are; return what came back until the other side closed."""
        with (
            socket.create_connection(("127.0.0.1", self.antwerp.port), timeout=wait) as plain,
            self.context.wrap_socket(plain) as wire,
        ):
            wire.sendall(data)
            came = b""
            try:
                while part := wire.recv(65536):
                    came += part
            except OSError:
                pass
            return came

    def well(self):
        """Whether an honest call is still answered, soon."""
        connection = Connection(
            self.antwerp.code,
            f"127.0.0.1:{self.antwerp.port}",
            self.context,
            SystemClock(),
        )
        began = time.monotonic()
        told = connection.ask(self.signer, "/exchange/heads", {"lane": "flash", "after": 0})
        connection.close()
        return told["head"]["sequence"] == 0 and time.monotonic() - began < 5


@pytest.fixture
def hostile(federation):
    panama, antwerp = federation("PA-ANA", "BE-DOUANE")
    antwerp.start()
    made = Hostile(panama, antwerp)
    yield made
    assert made.well()
    made.node.database.close()


def answered(context, port):
    """Whether anything at all comes back over TLS."""
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
            context.wrap_socket(plain) as wire,
        ):
            wire.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            return bool(wire.recv(100))
    except OSError:
        return False


def test_without_a_certificate_of_the_directory_there_is_no_connection(hostile, tmp_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    assert not answered(context, hostile.antwerp.port)
    key, certificate = identity._certificate("PA-ANA", "127.0.0.1:1", SystemClock().now())
    pem = tmp_path / "forged.pem"
    pem.write_bytes(
        certificate.public_bytes(Encoding.PEM)
        + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    assert isinstance(certificate, x509.Certificate)
    context.load_cert_chain(pem)
    assert not answered(context, hostile.antwerp.port)


def test_a_wrong_key_an_unsigned_and_a_misdirected_request_are_refused(hostile):
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    other = signing.Signer("PA-ANA", key, signing.fingerprint(key.public_key()))
    assert hostile.post(FLASH, claim=hostile.claim(FLASH, signer=other)) == (403, "key_unknown")
    assert hostile.post(FLASH, claim=hostile.claim(FLASH, to="NL-DOUANE")) == (
        403,
        "request_misdirected",
    )
    assert hostile.post(FLASH, claim=hostile.claim("/exchange/card")) == (
        403,
        "request_misdirected",
    )
    assert hostile.post(FLASH, b"one body", claim=hostile.claim(FLASH, b"another")) == (
        403,
        "request_body_wrong",
    )
    assert hostile.post(FLASH, claim="rubbish")[0] == 400
    assert hostile.post(FLASH, claim="A" * 9000)[0] in (400, 403)
    assert b" 403 " in hostile.raw(
        f"POST {FLASH} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode()
    )


def test_a_request_counts_once(hostile):
    claim = hostile.claim("/exchange/card")
    assert hostile.post("/exchange/card", claim=claim)[0] == 200
    assert hostile.post("/exchange/card", claim=claim) == (403, "request_replayed")


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_request_of_another_time_is_refused(hostile, minutes):
    now = SystemClock().now() + timedelta(minutes=minutes)
    claim = request.header(hostile.signer, hostile.antwerp.code, "POST", FLASH, b"", now)
    assert hostile.post(FLASH, claim=claim) == (403, "clock_skew")


def test_ten_gigabytes_announced_are_refused_before_they_come(hostile):
    began = time.monotonic()
    head = (
        f"POST {FLASH} HTTP/1.1\r\nHost: x\r\n{request.HEADER}: {hostile.claim(FLASH)}\r\n"
        "Content-Length: 10737418240\r\n\r\n"
    )
    came = hostile.raw(head.encode() + b"x" * 1000)
    assert b" 413 " in came
    assert b"body_too_large" in came
    assert time.monotonic() - began < 5


def test_a_body_without_an_end_is_cut(hostile):
    head = (
        f"POST {FLASH} HTTP/1.1\r\nHost: x\r\n{request.HEADER}: {hostile.claim(FLASH)}\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"
    ).encode()
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    came = hostile.raw(head + chunk * (BODY_BYTES // 0x100000 + 1))
    assert b" 413 " in came or came == b""  # cut off while it still sends


def test_a_slow_head_is_given_up(hostile):
    began = time.monotonic()
    came = hostile.raw(f"POST {FLASH} HTTP/1.1\r\nHost: ".encode(), wait=HEAD_SECONDS + 15)
    assert came == b""
    assert time.monotonic() - began < HEAD_SECONDS + 8


@pytest.mark.parametrize(
    "line",
    [
        "GET /exchange/envelopes/flash HTTP/1.1",
        "POST /exchange/envelopes/../card HTTP/1.1",
        "POST //exchange/card HTTP/1.1",
        "POST /exchange/%63ard HTTP/1.1",
        "POST /exchange/card?x=1 HTTP/1.1",
        "POST /exchange/card/ HTTP/1.1",
        "POST /../../etc/passwd HTTP/1.1",
        "POST http://elsewhere/exchange/card HTTP/1.1",
        "BREW /exchange/card HTTP/1.1",
    ],
)
def test_path_and_method_tricks_find_nothing(hostile, line):
    path = line.split()[1]
    head = (
        f"{line}\r\nHost: x\r\n{request.HEADER}: {hostile.claim(path)}\r\nContent-Length: 0\r\n\r\n"
    )
    status = re.match(rb"HTTP/1.1 (\d+)", hostile.raw(head.encode()))
    assert status
    assert status[1] in (b"400", b"404")


@pytest.mark.parametrize(
    "extra",
    [
        "Content-Length: 0\r\nContent-Length: 5",
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Content-Length: -1",
        "Content-Length: 0\r\nContent-Encoding: gzip",
        "Content-Length: 0\r\nX-Big: " + "a" * 40_000,
        "Content-Length: 0\r\nBad Header: 1",
        "Content-Length: 0\r\nisthmus-request: twice",
    ],
)
def test_header_tricks_are_refused(hostile, extra):
    claim = hostile.claim("/exchange/card")
    head = (
        f"POST /exchange/card HTTP/1.1\r\nHost: x\r\n{request.HEADER}: {claim}\r\n{extra}\r\n\r\n"
    )
    came = hostile.raw(head.encode())
    assert came == b"" or re.match(rb"HTTP/1.1 4\d\d", came), came[:200]


def test_too_many_envelopes_in_one_call_and_rubbish_are_refused(hostile):
    body = b"\n".join([b"{}"] * 500)
    assert hostile.post(FLASH, body) == (400, "batch_too_long")
    assert hostile.post("/exchange/heads", b"[]") == (400, "call_malformed")
    assert hostile.post("/exchange/heads", b'{"lane":"none","after":0}') == (400, "lane_unknown")
    assert hostile.post("/exchange/receipts", b"{}") == (400, "statement_malformed")


def test_an_envelope_in_anothers_name_is_named_and_raises_an_alarm(hostile):
    hostile.node.put(hostile.antwerp.code)
    raw = hostile.node.database.read(_first)
    forged = raw.replace(b'"from":"PA-ANA"', b'"from":"XX-ANA"')
    connection = Connection(
        hostile.antwerp.code, f"127.0.0.1:{hostile.antwerp.port}", hostile.context, SystemClock()
    )
    told = json.loads(connection.post(hostile.signer, "/exchange/envelopes/immediate", forged))
    assert told["refused"] == [{"index": 0, "code": "envelope_misdirected"}]
    assert hostile.antwerp.rows("SELECT code FROM exchange_alarm") == [("envelope_misdirected",)]
    with pytest.raises(IsthmusError):
        connection.post(hostile.signer, "/exchange/none", b"")
    connection.close()


def _first(tx):
    from isthmus.exchange import post_store, vault

    row = post_store.waiting(tx, "BE-DOUANE", "immediate", 1)[0]
    return vault.unlock(tx.keys, row["id"], row)
