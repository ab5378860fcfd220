"""A kept-alive connection to one partner, over which signed requests are made."""

import http.client
import socket
import ssl
from typing import Any

import orjson

from isthmus.exchange.trust import request
from isthmus.exchange.trust.signing import Signer
from isthmus.kernel.errors import Denied, Invalid, IsthmusError, Limited, Unavailable
from isthmus.kernel.time import Clock

ANSWER_BYTES = 16 << 20
SECONDS = 20.0
# How a partner's refusal is raised here, by its status.
_ERRORS: dict[int, type[Denied | Invalid | Limited | Unavailable]] = {
    400: Invalid,
    403: Denied,
    413: Invalid,
    429: Limited,
}


class Connection:
    """Makes requests one after another; dials again when the connection broke."""

    def __init__(self, partner: str, address: str, context: ssl.SSLContext, clock: Clock) -> None:
        self.partner, self.address, self.context, self.clock = partner, address, context, clock
        self._http: http.client.HTTPSConnection | None = None

    def post(self, signer: Signer, path: str, body: bytes, seconds: float = SECONDS) -> bytes:
        """Post a signed request and return the answer.

        Raises ``Unavailable`` when no answer came, or the error the partner named: ``Denied``,
        ``Invalid`` or ``Limited`` with its code.
        """
        fresh = self._http is None
        try:
            return self._post(signer, path, body, seconds)
        except (ConnectionError, http.client.RemoteDisconnected, ssl.SSLEOFError) as error:
            self.close()
            if fresh:
                raise self._away(error) from error
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise self._away(error) from error
        try:  # a kept connection that the other side let go of meanwhile
            return self._post(signer, path, body, seconds)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise self._away(error) from error

    def ask(self, signer: Signer, path: str, body: Any, seconds: float = SECONDS) -> Any:
        """Post an object and return the object answered; None when there is nothing."""
        answer = self.post(signer, path, orjson.dumps(body), seconds)
        try:
            return orjson.loads(answer) if answer else None
        except orjson.JSONDecodeError as error:
            raise self._away(error) from error

    def close(self) -> None:
        """Let go of the connection."""
        if self._http is not None:
            self._http.close()
            self._http = None

    def _post(self, signer: Signer, path: str, body: bytes, seconds: float) -> bytes:
        if self._http is None:
            self._http = self._dial()
        if self._http.sock is not None:
            self._http.sock.settimeout(seconds)
        headers = {
            request.HEADER: request.header(
                signer, self.partner, "POST", path, body, self.clock.now()
            ),
            "content-type": "application/octet-stream",
        }
        self._http.request("POST", path, body, headers)
        response = self._http.getresponse()
        answer = response.read(ANSWER_BYTES + 1)
        if len(answer) > ANSWER_BYTES:
            self.close()
            raise Unavailable("partner_answer_large", "the answer is too large")
        if response.status in (200, 204):
            return answer
        raise self._refused(response.status, answer)

    def _dial(self) -> http.client.HTTPSConnection:
        host, _, port = self.address.rpartition(":")
        dialled = http.client.HTTPSConnection(
            host.strip("[]"), int(port), timeout=SECONDS, context=self.context
        )
        dialled.connect()
        if dialled.sock is not None:
            dialled.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return dialled

    def _refused(self, status: int, answer: bytes) -> IsthmusError:
        try:
            code = str(orjson.loads(answer)["code"])[:80]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            code = "partner_refused"
        kind = _ERRORS.get(status, Unavailable)
        return kind(code, "the partner refused", partner=self.partner, status=status)

    def _away(self, error: Exception) -> Unavailable:
        return Unavailable(
            "partner_away", f"the partner does not answer: {type(error).__name__}",
            partner=self.partner,
        )  # fmt: skip
