"""A mail server that speaks SMTP, so that the way to a real one is tried too."""

from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread


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
                self.say("354 go on")
                while self.rfile.readline().strip() != b".":
                    pass
                self.server.recipients.append(recipient)
            self.say("250 ok")

    def say(self, line: str) -> None:
        """Send one line."""
        self.wfile.write(f"{line}\r\n".encode())


class SmtpServer(ThreadingTCPServer):
    """What it has taken, over how many connections, and at whose letter it breaks off once."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.recipients: list[str] = []
        self.connection_count = 0
        self.breaks_off_at = ""

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
