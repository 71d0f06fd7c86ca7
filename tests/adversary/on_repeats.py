"""Faults in the repeats of a message: a second attempt under the same client_generated_id."""

import uuid

from tests.adversary.on_the_way import OnSend
from tests.adversary.proxy import Forward, Request, Response


class OnRepeat(OnSend):
    """Does something to the repeat of a message that was acknowledged."""

    breaks = ("idempotency.retries",)
    at = 1_000_000  # the first attempts pass

    async def repeated(self, request: Request, forward: Forward) -> Response | None:
        first = self._ids[request.json["clientGeneratedId"]]
        if self.struck or not first:
            return await forward(request)
        given = await forward(self.asked(request))
        return self.answered(first, given) if given.ok else given

    def asked(self, request: Request) -> Request:
        """The repeat as it reaches the app."""
        return request

    def answered(self, first: str, given: Response) -> Response:
        """The answer as it reaches the tool; `first` is the message's id."""
        raise NotImplementedError


class RepeatForgotten(OnRepeat):
    what = "a repeat is stored as a message of its own"
    breaks = ("messages.duplicated", "idempotency.retries")

    def asked(self, request: Request) -> Request:
        body = request.json
        del body["clientGeneratedId"]
        return request.with_json(body)

    def answered(self, first: str, given: Response) -> Response:
        self.must_name("messages.duplicated", {"message_id": first}, {"message_id": given.json["id"]})
        self.must_name("idempotency.retries", {"message_id": first})
        return given


class RepeatAnsweredWithAnotherId(OnRepeat):
    what = "a repeat is answered with another id than the first"

    def answered(self, first: str, given: Response) -> Response:
        self.touch(message_id=first)
        return given.with_json({**given.json, "id": str(uuid.uuid4())})


class RepeatAnsweredWithAnotherSeq(OnRepeat):
    what = "a repeat is answered with another seq than the first"

    def answered(self, first: str, given: Response) -> Response:
        self.touch(message_id=first)
        return given.with_json({**given.json, "seq": given.json["seq"] - 1})
