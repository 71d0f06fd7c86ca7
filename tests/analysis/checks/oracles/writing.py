"""A story written down as a record in memory, and read as the judge reads it."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from analysis.evidence import Evidence, assemble
from analysis.record import Chat, Person, ProcessInfo, ProcessRecord, Run
from analysis.record.codes import Outcome, PollKind, Status
from analysis.record.tables import DATABASE_TABLES, LOAD_TABLES
from tests.analysis.checks.oracles.story import (
    MEASURED_OFF,
    MONITOR,
    SECOND_NS,
    Event,
    Look,
    Message,
    Page,
    Process,
    Story,
    chat_id,
    key_id,
    message_id,
    ns,
    person_id,
    us,
)
from tests.analysis.in_memory import CLOCK_NS, EPOCH_US, InMemory

MEASURED_TO_NS = 50_000_000


def evidence(story: Story) -> Evidence:
    """The story as the judge sees it."""
    return written(Writer(story), story)


def written(writer: "Writer", story: Story) -> Evidence:
    """What this writer makes of the story."""
    names = [f"worker-{number}" for number in range(len(story.processes))]
    parts = {
        name: Part(writer.load_rows(number), name, process)
        for number, (name, process) in enumerate(zip(names, story.processes, strict=True))
    }
    monitor = Part(writer.database_rows(), MONITOR, story.monitor)
    return assemble(writer.run(names), parts, monitor)


class Writer:
    """Makes the rows of a record."""

    def __init__(self, story: Story) -> None:
        self._story = story

    def run(self, names: list[str]) -> Run:
        return Run(
            run_id="20261123T160000Z-story",
            host="http://127.0.0.1:8000",
            embedded=True,
            settings={}
            if self._story.interval_s is None
            else {"CHATSOAK_MONITOR_INTERVAL_S": self._story.interval_s},
            versions={},
            people=[
                Person(str(person_id(number)), f"{number}@example.com")
                for number in range(self._story.people)
            ],
            chats=[
                Chat(str(chat_id(number)), "group", tuple(str(person_id(person)) for person in members), 1.0)
                for number, members in enumerate(self._story.chats)
            ],
            processes=names,
            started_at="2026-11-23T16:00:00Z",
            ended_at="2026-11-23T16:02:00Z" if self._story.ended else None,
        )

    def load_rows(self, process: int) -> dict[str, list[tuple[Any, ...]]]:
        def here(things: Sequence[Any]) -> list[Any]:
            return [thing for thing in things if self._story.process_of[thing.person] == process]

        def ns(at: float) -> int:
            return self.ns(process, at)

        rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in LOAD_TABLES}
        rows["sends"] = [
            row
            for number, message in enumerate(self._story.messages)
            if self._story.process_of[message.sender] == process
            for row in self._sends(number, message)
        ]
        rows["clocks"] = [*self._measured(process), *self._offsets(process)]
        rows["events"] = [self._event(event) for event in here(self._story.events)]
        rows["sockets"] = [
            (
                person_id(step.person).bytes,
                step.socket,
                None if step.chat is None else chat_id(step.chat).bytes,
                step.event,
                ns(step.at),
                step.seq,
                None,
            )
            for step in here(self._story.steps)
        ]
        rows["pages"] = [self._page(page) for page in here(self._story.pages)]
        rows["marks"] = [
            (
                person_id(one.person).bytes,
                chat_id(one.chat).bytes,
                one.kind,
                ns(one.left),
                ns(one.answered),
                one.outcome,
                200,
                1,
                one.up_to,
            )
            for one in here(self._story.receipts)
        ]
        return rows

    def ns(self, process: int, at: float) -> int:
        """Second `at` on the clock of a load process."""
        return ns(at + self._story.ahead.get(self._story.processes[process].host, 0))

    def _measured(self, process: int) -> Iterator[tuple[Any, ...]]:
        """How far the monitor's clock is ahead of this process's, to 50 ms; 30 ms off, or 3 s more from one time to the next."""
        host = self._story.processes[process].host
        if host not in self._story.measured or host == self._story.monitor.host:
            return
        for number in range(3):
            wrong = MEASURED_OFF if self._story.measured[host] else 3 * number
            offset = round((wrong - self._story.ahead.get(host, 0)) * SECOND_NS)
            at = self.ns(process, 20 * number)
            yield at, offset, MEASURED_TO_NS, self._leader

    def _offsets(self, process: int) -> Iterator[tuple[Any, ...]]:
        """The offsets that the story names one by one."""
        for one in self._story.offsets:
            if one.process == process:
                error_ns = round(one.error * SECOND_NS)
                yield self.ns(process, one.at), round(one.offset * SECOND_NS), error_ns, self._leader

    @property
    def _leader(self) -> str:
        """The clock of the monitor's machine."""
        return process_info(MONITOR, self._story.monitor).clock_domain

    def _sends(self, number: int, message: Message) -> list[tuple[Any, ...]]:
        process = self._story.process_of[message.sender]
        return [
            (
                person_id(message.sender).bytes,
                chat_id(message.chat).bytes,
                key_id(number).bytes,
                place,
                self.ns(process, attempt.left),
                self.ns(process, attempt.left),
                self.ns(process, attempt.answered),
                attempt.outcome,
                0,
                message_id(number).bytes if attempt.outcome is Outcome.OK else None,
                (message.seq if attempt.told is None else attempt.told)
                if attempt.outcome is Outcome.OK
                else None,
                self._story.text(number),
                None,
            )
            for place, attempt in enumerate(message.attempts)
        ]

    def _event(self, event: Event) -> tuple[Any, ...]:
        text = self._story.text(event.message) if event.text is None else event.text
        return (
            person_id(event.person).bytes,
            event.socket,
            None if event.chatless else chat_id(event.chat).bytes,
            None if event.message is None else message_id(event.message).bytes,
            person_id(self._story.sender(event)).bytes,
            event.seq,
            event.type,
            event.status,
            zlib.crc32(text.encode()) if text else None,
            us(self._story.wall(event.committed)),
            self.ns(self._story.process_of[event.person], event.at),
        )

    def _page(self, page: Page) -> tuple[Any, ...]:
        seqs = [self._story.shown_seq(page, place) for place in range(len(page.shown))]
        ids = [message_id(number).bytes if page.ids else None for number in page.shown]
        senders = [self._story.shown_sender(page, place) for place in range(len(page.shown))]
        texts = [self._story.shown_text(page, place) for place in range(len(page.shown))]
        return (
            person_id(page.person).bytes,
            chat_id(page.chat).bytes,
            page.walk,
            page.purpose,
            page.before,
            page.limit,
            self.ns(self._story.process_of[page.person], page.left),
            self.ns(self._story.process_of[page.person], page.left + 1),
            page.outcome,
            200,
            seqs,
            ids,
            [None if sender is None else person_id(sender).bytes for sender in senders],
            [None if text is None else zlib.crc32(text.encode()) for text in texts],
            [page.statuses.get(place) for place in range(len(page.shown))],
        )

    def database_rows(self) -> dict[str, list[tuple[Any, ...]]]:
        rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in DATABASE_TABLES}
        rows["baseline"] = [
            (chat_id(chat).bytes, seq, seq)
            for chat, seq in enumerate(self._story.baseline)
            if seq is not None
        ]
        rows["memberships"] = [
            (ns(one.at), chat_id(one.chat).bytes, person_id(one.person).bytes, one.there)
            for one in self._story.memberships
        ]
        for number, poll in enumerate(self._story.polls):
            error = "connection refused" if poll.kind is PollKind.FAILED else None
            server = None if poll.server is None else us(poll.server)
            database = us(self._story.wall(poll.database))
            taken = (
                ns(poll.at),
                1000.0 * poll.took,
                database,
                poll.xmin,
                poll.next_xid,
                server,
                0,
                0,
                0,
                error,
                None if poll.asked is None or poll.kind is PollKind.FAILED else ns(poll.asked),
            )
            rows["polls"].append((number, poll.kind, *taken))
            rows["observations"] += [
                self._observation(place, message, look)
                for place, message in enumerate(self._story.messages)
                for look in message.looks
                if look.poll == number
            ]
        return rows

    def _observation(self, number: int, message: Message, look: Look) -> tuple[Any, ...]:
        stranger = self._story.people
        sender = message.sender if message.stored_sender is None else message.stored_sender
        return (
            look.poll,
            look.change,
            ns(self._story.polls[look.poll].at),
            message_id(number).bytes,
            chat_id(message.row_chat if look.chat is None else look.chat).bytes,
            message.seq if look.seq is None else look.seq,
            person_id(
                stranger if not message.attempts else sender if look.sender is None else look.sender
            ).bytes,
            key_id(number).bytes if message.attempts else None,
            look.status,
            "bogus" if look.status is Status.OTHER else None,
            look.text or message.stored_text or self._story.text(number),
            us(0),
            False,
        )


def process_info(name: str, process: Process) -> ProcessInfo:
    return ProcessInfo(name, 1, process.host, "boot", CLOCK_NS, EPOCH_US)


class Part(InMemory):
    """What one process wrote of a story."""

    def __init__(self, rows: dict[str, list[tuple[Any, ...]]], name: str, process: Process) -> None:
        super().__init__(rows, name)
        self._process = process
        counts = {table: rows + (table in process.short) for table, rows in self._record.counts.items()}
        self._record = replace(
            self._record,
            info=process_info(name, process),
            closed=process.closed,
            counts=counts if process.closed else {},
            dropped=dict.fromkeys(process.lost, 1) if process.closed else {},
            error=process.error,
            lost_rows=bool(process.lost),
        )

    def process(self) -> ProcessRecord | None:
        return None if self._process.silent else self._record

    def complete(self, table: str) -> bool:
        return table not in self._process.unfinished
