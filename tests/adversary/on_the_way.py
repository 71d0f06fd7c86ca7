"""Faults between chatsoak and the app: messages and answers that get lost, doubled or changed on their way."""

import asyncio
import unicodedata
import uuid

from analysis.evidence import Evidence
from tests.adversary.faults import ChatFault
from tests.adversary.proxy import Forward, Request, Response, answer
from tests.adversary.truth import is_send

HOW = "proxy (HTTP)"
SLOW_S = 1.5


class OnSend(ChatFault):
    """Does something to one message, the `at`-th of the chat or, when that one fails by itself, a later one."""

    how = HOW
    at = 3

    def __init__(self) -> None:
        super().__init__()
        self._ids: dict[
            str, str
        ] = {}  # key of a message → id with which it was stored; empty: not that we know
        self._trying = False

    async def exchange(self, request: Request, forward: Forward) -> Response | None:
        if not is_send(request):
            return await forward(request)
        key = request.json["clientGeneratedId"]

        async def noted(asked: Request) -> Response:
            given = await forward(asked)
            if given.ok:
                self._ids[key] = self._ids[key] or given.json["id"]
            return given

        if key in self._ids:
            return await self.repeated(request, noted)
        self._ids[key] = ""
        if self._trying or self.struck or len(self._ids) < self.at:
            return await noted(request)
        self._trying = True
        try:
            return await self.tampered(request, noted)
        finally:
            self._trying = False

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
        given = await forward(request)
        self.struck = given.ok
        return None


class AnswerCutOff(OnSend):
    what = "the answer about a stored message breaks off in its body"
    breaks = ("errors.send",)

    async def tampered(self, request: Request, forward: Forward) -> Response | None:
        given = await forward(request)
        self.struck = given.ok
        return given.broken_off()


class RequestLost(OnSend):
    what = "the connection breaks before a message reaches the app"
    breaks = ("errors.send",)

    async def tampered(self, request: Request, forward: Forward) -> Response | None:
        self.struck = True
        return None


class RequestCutOff(OnSend):
    what = "a message breaks off in its body on its way to the app"
    breaks = ("errors.send",)

    async def tampered(self, request: Request, forward: Forward) -> Response | None:
        self.struck = True
        return await forward(request.broken_off())


class StoredAndAnswered500(OnSend):
    what = "a stored message is answered 500"
    breaks = ("errors.send",)

    async def tampered(self, request: Request, forward: Forward) -> Response | None:
        given = await forward(request)
        self.struck = given.ok
        return answer(500, {"error": "Internal server error"})


class Answered503(OnSend):
    what = "a message is answered 503 and not stored"
    breaks = ("errors.send",)

    async def tampered(self, request: Request, forward: Forward) -> Response | None:
        self.struck = True
        return answer(503, {"error": "Come back later"})


class Refusing(OnSend):
    """Refuses a message, and its repeats, too: one that went through would make it ok."""

    def __init__(self) -> None:
        super().__init__()
        self._refused = ""

    def refuse(self, request: Request) -> Response:
        """Its answer."""
        self._refused = request.json["clientGeneratedId"]
        return answer(403, {"error": "No"})

    async def repeated(self, request: Request, forward: Forward) -> Response | None:
        if request.json["clientGeneratedId"] == self._refused:
            return self.refuse(request)
        return await forward(request)


class RefusedAndNotStored(Refusing):
    what = "a message is refused and not stored"
    breaks = ("errors.send",)

    async def tampered(self, request: Request, forward: Forward) -> Response | None:
        self.struck = True
        return self.refuse(request)


class RefusedAndStored(Refusing):
    what = "a message is refused, and stored"
    breaks = ("messages.unexpected", "errors.send")

    async def tampered(self, request: Request, forward: Forward) -> Response | None:
        given = await forward(request)
        if not given.ok:
            return given
        self.must_name("messages.unexpected", {"message_id": given.json["id"]})
        return self.refuse(request)


class AcknowledgedAndNotStored(OnSend):
    what = "a message is acknowledged and not stored"
    breaks = ("messages.lost",)

    def __init__(self) -> None:
        super().__init__()
        self._id, self._key = str(uuid.uuid4()), ""

    async def tampered(self, request: Request, forward: Forward) -> Response | None:
        self._key = request.json["clientGeneratedId"]
        self.touch(message_id=self._id, client_generated_id=self._key, sender_id=request.caller, seq=None)
        return answer(201, {"id": self._id, "seq": None})

    async def repeated(self, request: Request, forward: Forward) -> Response | None:
        if request.json["clientGeneratedId"] == self._key:
            return answer(201, {"id": self._id, "seq": None})
        return await forward(request)


class RequestDoubledWithoutItsKey(OnSend):
    """A message that was sent once: of one that was repeated nobody could tell whose fault the copy is."""

    what = "a request reaches the app twice, once without its key"
    breaks = ("messages.duplicated",)
    later_s = 1.5  # a repeat, if there is one, has come by then

    def __init__(self) -> None:
        super().__init__()
        self._repeated: set[str] = set()
        self._late: asyncio.Task[None] | None = None

    async def tampered(self, request: Request, forward: Forward) -> Response | None:
        given = await forward(request)
        if given.ok and (self._late is None or self._late.done()):
            self._late = asyncio.create_task(self._double(request, forward, given))
        return given

    async def repeated(self, request: Request, forward: Forward) -> Response | None:
        self._repeated.add(request.json["clientGeneratedId"])
        return await forward(request)

    async def _double(self, request: Request, forward: Forward, given: Response) -> None:
        await asyncio.sleep(self.later_s)
        body = request.json
        if body.pop("clientGeneratedId") in self._repeated:
            return
        copy = await forward(request.with_json(body))
        if copy.ok:
            first, second = given.json["id"], copy.json["id"]
            self.must_name("messages.duplicated", {"message_id": first}, {"message_id": second})


class Answering(OnSend):
    """Answers one message, and its repeats, with another value than is stored."""

    breaks = ("messages.corrupted",)

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[str, Response] = {}

    def false(self, given: Response) -> Response:
        """The answer in place of `given`."""
        raise NotImplementedError

    async def tampered(self, request: Request, forward: Forward) -> Response | None:
        given = await forward(request)
        if not given.ok:
            return given
        self.touch(message_id=given.json["id"])
        return self._told.setdefault(request.json["clientGeneratedId"], self.false(given))

    async def repeated(self, request: Request, forward: Forward) -> Response | None:
        given = await forward(request)
        return self._told.get(request.json["clientGeneratedId"], given)


class AnotherIdAnswered(Answering):
    what = "the answer names another id than is stored"

    def false(self, given: Response) -> Response:
        return given.with_json({**given.json, "id": str(uuid.uuid4())})


class AnotherSeqAnswered(Answering):
    what = "the answer tells another seq than is stored"

    def false(self, given: Response) -> Response:
        return given.with_json({**given.json, "seq": given.json["seq"] - 1})


class TextChangedOnTheWay(OnSend):
    what = "a text is changed on its way to the app"
    breaks = ("messages.corrupted",)

    async def tampered(self, request: Request, forward: Forward) -> Response | None:
        body = request.json
        given = await forward(request.with_json({**body, "text": self.other(body["text"])}))
        if given.ok and self.other(body["text"]) != body["text"]:
            self.touch(message_id=given.json["id"])
        return given

    def other(self, text: str) -> str:
        """What becomes of a text."""
        return text + " "


class TextInAnotherForm(TextChangedOnTheWay):
    """Of a text that has such a character at all: one of twenty."""

    what = "the characters of a text are taken apart, as Unicode's form NFD has them"
    needs = 50
    spares = 8

    def other(self, text: str) -> str:
        return unicodedata.normalize("NFD", text)


class IntoAnotherChat(OnSend):
    what = "a message is stored in another chat of its sender"
    breaks = ("messages.corrupted",)
    spares = 1

    async def tampered(self, request: Request, forward: Forward) -> Response | None:
        (other,) = self.others
        if request.json["chatId"] == other.id or request.caller not in other.participants:
            return await forward(request)
        given = await forward(request.with_json({**request.json, "chatId": other.id}))
        if given.ok:
            self.touch(message_id=given.json["id"], chat_id=other.id)
        return given


# What must disturb nobody


class RequestDoubled(OnSend):
    what = "a request reaches the app twice"

    async def tampered(self, request: Request, forward: Forward) -> Response | None:
        given = await forward(request)
        self.struck = given.ok and (await forward(request)).ok
        return given


class AnswerSlow(OnSend):
    what = "an answer takes 1.5 s longer"

    async def tampered(self, request: Request, forward: Forward) -> Response | None:
        given = await forward(request)
        await asyncio.sleep(SLOW_S)
        self.struck = True
        return given

    def shows(self, record: Evidence) -> bool:
        return self.longest_send_s(record) >= SLOW_S
