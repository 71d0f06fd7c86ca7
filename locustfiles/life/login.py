"""Who a device is signed in as: a session that renews itself, and the clients that go by it."""

import logging
from collections.abc import Callable
from random import Random

import gevent

from analysis.record import Person
from locustfiles.clients.auth import AuthClient, SignInError
from locustfiles.clients.http import HttpClient
from locustfiles.clients.ledger import Ledger
from locustfiles.clients.messages import MessagesClient
from locustfiles.clients.outsider import OutsiderClient
from locustfiles.clients.session import Session
from locustfiles.life.outsider import Outsider
from locustfiles.run.load import Load

logger = logging.getLogger(__name__)

REFRESH_AT = 0.8  # of a token's lifetime


class CannotSignIn(Exception):  # noqa: N818 - reads as what it says
    """Supabase Auth or Realtime did not let this person in; the text says who and why."""


class Login:
    """One person's, from `sign_in` to `close`.

    Args:
        on_renewed: called with each new access token but the first.

    Attributes:
        session: None: not signed in yet.
    """

    def __init__(
        self, load: Load, person: Person, ledger: Ledger, rng: Random, on_renewed: Callable[[str], None]
    ) -> None:
        settings = load.settings
        self.session: Session | None = None
        self._load = load
        self._person = person
        self._ledger = ledger
        self._rng = rng
        self._on_renewed = on_renewed
        self._supabase = HttpClient(settings.next_public_supabase_url, settings.chatsoak_request_timeout_s)
        self._auth = AuthClient(settings, ledger, self._supabase, person.id)
        self._messages: MessagesClient | None = None
        self._outsider: Outsider | None = None
        self._renewing: gevent.Greenlet | None = None

    @property
    def messages(self) -> MessagesClient:
        """What this person says and reads over HTTP, once signed in."""
        if self._messages is None:
            raise CannotSignIn(f"{self._person.email} is not signed in")
        return self._messages

    def sign_in(self) -> None:
        """Become this person.

        Raises:
            CannotSignIn: Supabase Auth refused.
        """
        email = self._person.email
        try:
            session = self._auth.sign_in(email, self._load.settings.password_of(email))
        except SignInError as error:
            raise CannotSignIn(f"{email} cannot sign in: {error}") from None
        self._use(session)
        self._renewing = gevent.spawn(self._renew, session)

    def trespass(self) -> None:
        """Try something that has to be refused."""
        if self.session is not None and self._outsider is not None:
            self._outsider.try_next(self.session)

    def close(self) -> None:
        """Renew nothing any more, and close all connections."""
        if self._renewing is not None:
            self._renewing.kill(block=False)
        if self._messages is not None:
            self._messages.close()
        if self._outsider is not None:
            self._outsider.close()
        self._supabase.close()

    def _use(self, session: Session) -> None:
        self.session = session
        load = self._load
        if self._messages is None:
            self._messages = MessagesClient(load.settings, load.host, session, self._ledger, self._supabase)
        self._messages.use(session)
        if self._outsider is None and self._person.id in load.outsiders:
            client = OutsiderClient(load.settings, load.host, self._ledger, self._supabase, self._person.id)
            self._outsider = Outsider(load, self._person, client, self._rng)

    def _renew(self, session: Session) -> None:
        """Refresh the token before it runs out, for HTTP and for whoever else goes by it."""
        while True:
            gevent.sleep(max(1.0, session.remaining_s * REFRESH_AT))
            try:
                session = self._auth.refresh(session)
            except SignInError as error:
                logger.warning("%s: %s", self._person.email, error)
                continue
            self._use(session)
            self._on_renewed(session.access_token)
