"""Faults between chatsoak and the app: requests and answers that get lost, doubled or changed."""

import asyncio
import uuid

from tests.adversary.faults import MESSAGES, ChatFault, is_send
from tests.adversary.proxy import Forward, Request, Response, answer

HOW = "proxy (HTTP)"
SLOW_S = 1.5


class OnSend(ChatFault):
    """Does something to one send, the `at`-th message of the chat; repeats with its key pass."""

    how = HOW
    at = 5

    def __init__(self) -> None:
        super().__init__()
        self._keys: list[str] = []

    async def exchange(self, request: Request, forward: Forward) -> Response | None:
        if not is_send(request):
            return await forward(request)
        key = request.json["clientGeneratedId"]
        if key in self._keys:
            return await self.repeated(request, forward)
        self._keys.append(key)
        if len(self._keys) != self.at:
            return await forward(request)
        return await self.tampered(request, forward)

    async def tampered(self, request: Request, forward: Forward) -> Response | None:
        """What becomes of it."""
        raise NotImplementedError

    async def repeated(self, request: Request, forward: Forward) -> Response | None:
        """What becomes of a repeat."""
        return await forward(request)


class AnswerLost(OnSend):
    what = "the connection breaks after a message was stored"
    breaks = ("errors.send",)

    async def tampered(self, request: Request, forward: Forward) -> Response | None:
        await forward(request)
        self.touch(request.json["clientGeneratedId"])
        return None


class RequestLost(OnSend):
    what = "the connection breaks before a message reaches the app"
    breaks = ("errors.send",)

    async def tampered(self, request: Request, forward: Forward) -> Response | None:
        self.touch(request.json["clientGeneratedId"])
        return None


class StoredAndAnswered500(OnSend):
    what = "a stored message is answered 500"
    breaks = ("errors.send",)

    async def tampered(self, request: Request, forward: Forward) -> Response | None:
        await forward(request)
        self.touch(request.json["clientGeneratedId"])
        return answer(500, {"error": "Internal server error"})


class Answered503(OnSend):
    what = "a message is answered 503 and not stored"
    breaks = ("errors.send",)

    async def tampered(self, request: Request, forward: Forward) -> Response | None:
        self.touch(request.json["clientGeneratedId"])
        return answer(503, {"error": "Come back later"})


class RefusedAndNotStored(OnSend):
    what = "a message is refused and not stored"
    breaks = ("errors.send",)

    async def tampered(self, request: Request, forward: Forward) -> Response | None:
        self.touch(request.json["clientGeneratedId"])
        return answer(403, {"error": "No"})

    async def repeated(self, request: Request, forward: Forward) -> Response | None:
        """Whoever is refused is refused again: a repeat that went through would make it ok."""
        if request.json["clientGeneratedId"] in self.named["errors.send"]:
            return answer(403, {"error": "No"})
        return await forward(request)


class RefusedAndStored(OnSend):
    what = "a message is refused, and stored"
    breaks = ("messages.unexpected", "errors.send")

    async def tampered(self, request: Request, forward: Forward) -> Response | None:
        await forward(request)
        self.touch(request.json["clientGeneratedId"])
        return answer(403, {"error": "No"})

    async def repeated(self, request: Request, forward: Forward) -> Response | None:
        if request.json["clientGeneratedId"] in self.named["errors.send"]:
            return answer(403, {"error": "No"})
        return await forward(request)


class AcknowledgedAndNotStored(OnSend):
    what = "a message is acknowledged and not stored"
    breaks = ("messages.lost",)

    def __init__(self) -> None:
        super().__init__()
        self._told = answer(201, {"id": str(uuid.uuid4()), "seq": None})

    async def tampered(self, request: Request, forward: Forward) -> Response | None:
        self.touch(request.json["clientGeneratedId"])
        return self._told

    async def repeated(self, request: Request, forward: Forward) -> Response | None:
        if request.json["clientGeneratedId"] in self.named["messages.lost"]:
            return self._told
        return await forward(request)


class RequestDoubledWithoutItsKey(OnSend):
    """A message that was sent once: of one that was repeated nobody could tell whose fault the copy is."""

    what = "a request reaches the app twice, once without its key"
    breaks = ("messages.duplicated",)
    later_s = 1.5  # a repeat, if there is one, has come by then

    def __init__(self) -> None:
        super().__init__()
        self._repeated: set[str] = set()
        self._late: set[asyncio.Task[None]] = set()

    async def tampered(self, request: Request, forward: Forward) -> Response | None:
        given = await forward(request)
        self._late.add(asyncio.create_task(self._double(request, forward, given)))
        return given

    async def repeated(self, request: Request, forward: Forward) -> Response | None:
        self._repeated.add(request.json["clientGeneratedId"])
        return await forward(request)

    async def _double(self, request: Request, forward: Forward, given: Response) -> None:
        await asyncio.sleep(self.later_s)
        body = request.json
        if body.pop("clientGeneratedId") in self._repeated:
            self.at = len(self._keys) + 1
            return
        copy = await forward(request.with_json(body))
        self.touch(given.json["id"], copy.json["id"])


class AnotherIdAnswered(OnSend):
    what = "the answer names another id than is stored"
    breaks = ("messages.corrupted",)

    def __init__(self) -> None:
        super().__init__()
        self._ids: dict[str, str] = {}

    async def tampered(self, request: Request, forward: Forward) -> Response | None:
        key = request.json["clientGeneratedId"]
        given = await forward(request)
        self.touch(given.json["id"])
        self._ids[key] = str(uuid.uuid4())
        return given.with_json({**given.json, "id": self._ids[key]})

    async def repeated(self, request: Request, forward: Forward) -> Response | None:
        given = await forward(request)
        told = self._ids.get(request.json["clientGeneratedId"], given.json["id"])
        return given.with_json({**given.json, "id": told})


class AnotherSeqAnswered(OnSend):
    what = "the answer tells another seq than is stored"
    breaks = ("messages.corrupted",)

    async def tampered(self, request: Request, forward: Forward) -> Response | None:
        given = await forward(request)
        self.touch(given.json["id"])
        self._key = request.json["clientGeneratedId"]
        return given.with_json({**given.json, "seq": given.json["seq"] - 1})

    async def repeated(self, request: Request, forward: Forward) -> Response | None:
        given = await forward(request)
        if self.struck and request.json["clientGeneratedId"] == self._key:
            return given.with_json({**given.json, "seq": given.json["seq"] - 1})
        return given


class TextChangedOnTheWay(OnSend):
    what = "a text is changed on its way to the app"
    breaks = ("messages.corrupted",)

    async def tampered(self, request: Request, forward: Forward) -> Response | None:
        body = request.json
        given = await forward(request.with_json({**body, "text": body["text"] + " "}))
        self.touch(given.json["id"])
        return given


class RepeatForgotten(OnSend):
    what = "a repeat is stored as a message of its own"
    breaks = ("messages.duplicated", "idempotency.retries")

    async def tampered(self, request: Request, forward: Forward) -> Response | None:
        return await forward(request)

    async def repeated(self, request: Request, forward: Forward) -> Response | None:
        if self.struck:
            return await forward(request)
        body = request.json
        self.touch(body["clientGeneratedId"])
        del body["clientGeneratedId"]
        return await forward(request.with_json(body))


class RepeatAnsweredWithAnotherId(OnSend):
    what = "a repeat is answered with another id than the first"
    breaks = ("idempotency.retries",)

    async def tampered(self, request: Request, forward: Forward) -> Response | None:
        return await forward(request)

    async def repeated(self, request: Request, forward: Forward) -> Response | None:
        given = await forward(request)
        if self.struck:
            return given
        self.touch(request.json["clientGeneratedId"])
        return given.with_json({**given.json, "id": str(uuid.uuid4())})


class RepeatAnsweredWithAnotherSeq(OnSend):
    what = "a repeat is answered with another seq than the first"
    breaks = ("idempotency.retries",)

    async def tampered(self, request: Request, forward: Forward) -> Response | None:
        return await forward(request)

    async def repeated(self, request: Request, forward: Forward) -> Response | None:
        given = await forward(request)
        if self.struck:
            return given
        self.touch(request.json["clientGeneratedId"])
        return given.with_json({**given.json, "seq": given.json["seq"] - 1})


class ReceiptsSwallowed(ChatFault):
    what = "receipts are answered and do nothing"
    how = HOW
    breaks = ("status.stuck",)

    async def exchange(self, request: Request, forward: Forward) -> Response | None:
        if "/rpc/mark_messages_as" in request.path:
            self.struck = True
            return answer(200, [{"updated_count": 0}])
        return await forward(request)


# What must disturb nobody


class RequestDoubled(OnSend):
    what = "a request reaches the app twice"

    async def tampered(self, request: Request, forward: Forward) -> Response | None:
        given = await forward(request)
        await forward(request)
        self.struck = True
        return given


class AnswerSlow(OnSend):
    what = "an answer takes 1.5 s longer"

    async def tampered(self, request: Request, forward: Forward) -> Response | None:
        given = await forward(request)
        await asyncio.sleep(SLOW_S)
        self.struck = True
        return given


class HistoryUnavailable(ChatFault):
    what = "history is answered 503 at times"
    how = HOW

    async def exchange(self, request: Request, forward: Forward) -> Response | None:
        if request.path == MESSAGES and request.method == "GET" and not self.struck:
            self.struck = True
            return answer(503, {"error": "Come back later"})
        return await forward(request)


class ReceiptsSlow(ChatFault):
    what = "receipts take effect a second late"
    how = HOW

    async def exchange(self, request: Request, forward: Forward) -> Response | None:
        if "/rpc/mark_messages_as" in request.path:
            self.struck = True
            await asyncio.sleep(1)
        return await forward(request)
