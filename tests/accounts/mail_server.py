"""Mail servers: one with bad days, and one that speaks SMTP, so that the way to a real one is tried too."""

from collections.abc import Iterator
from contextlib import contextmanager
from smtplib import SMTPConnectError
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Event, Thread

from django.core.mail.backends.locmem import EmailBackend


class MailServer(EmailBackend):
    """A mail server with bad days: what it does is set on the class, and each test begins with a good one."""

    is_down = False
    refusals: dict[str, Exception] = {}
    dies_after: str = ""
    opened = 0

    def open(self):
        if type(self).is_down:
            raise SMTPConnectError(421, b"not now")
        type(self).opened += 1

    def send_messages(self, messages):
        for message in messages:
            if refusal := self.refusals.get(message.to[0]):
                raise refusal
        sent = super().send_messages(messages)
        if messages[0].to[0] == type(self).dies_after:
            raise KeyboardInterrupt
        return sent


class Conversation(StreamRequestHandler):
    """One connection: every letter is taken, until the server breaks off as it was told to."""

    server: "SmtpServer"

    def handle(self) -> None:
        """Answer line by line."""
        self.server.connection_count += 1
        self.say("220 ready")
        recipient = ""
        for line in self.rfile:
            command = line.decode().strip()
            if command.upper().startswith("RCPT TO:"):
                recipient = command[8:].strip("<> ")
            if recipient and recipient == self.server.breaks_off_at:
                self.server.breaks_off_at = ""
                return
            if command.upper() == "DATA":
                self.server.hold_before(len(self.server.recipients))
                self.say("354 go on")
                while (said := self.rfile.readline().strip()) != b".":
                    if said.lower().startswith(b"message-id:"):
                        self.server.message_ids.append(said.decode().partition(" ")[2])
                self.server.recipients.append(recipient)
                self.server.hold_after(len(self.server.recipients))
            self.say("250 ok")

    def say(self, line: str) -> None:
        """Send one line."""
        self.wfile.write(f"{line}\r\n".encode())


class SmtpServer(ThreadingTCPServer):
    """What it has taken, over how many connections, and at whose letter it breaks off once.

    It can also fall silent once: before it takes a letter or, having taken it, before it says so.
    """

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever is killed says no good-bye."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.recipients: list[str] = []
        self.message_ids: list[str] = []
        self.connection_count = 0
        self.breaks_off_at = ""
        self.silent_before: int | None = None
        self.silent_after: int | None = None
        self.is_silent = Event()
        self.goes_on = Event()

    def hold_before(self, taken_count: int) -> None:
        """Say nothing for a while, if it is to happen after so many letters."""
        if taken_count == self.silent_before:
            self.silent_before = None
            self._hold()

    def hold_after(self, taken_count: int) -> None:
        """Say nothing for a while, if it is to happen when so many letters are taken."""
        if taken_count == self.silent_after:
            self.silent_after = None
            self._hold()

    def _hold(self) -> None:
        self.is_silent.set()
        self.goes_on.wait(30)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])


@contextmanager
def smtp_server() -> Iterator[SmtpServer]:
    """A server that is up for as long as the block lasts."""
    with SmtpServer() as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
