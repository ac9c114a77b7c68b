"""A real SMTP server, on loopback unless told otherwise, that keeps what it gets, and can be told to
be difficult.

    sink = MailSink()
    sink.answer = lambda address, mail: "451 later"   what it says at the end of a mail; None: 250
    sink.admit = lambda address: "550 who?"           what it says to a recipient; None: 250
    sink.hold()                                       mails get no answer until release()
    sink.polite = False                               a goodbye gets no answer
"""

import asyncio
import email
import email.policy
import threading

from aiosmtpd.controller import Controller

import cluster as clusters


async def wait_until(condition):
    """Until the test lets go, or the sender has hung up and the task is ended with the connection."""
    while not condition():
        await asyncio.sleep(0.02)


class Mail:
    """What came: the bytes, and what a real parser makes of them."""

    def __init__(self, envelope, parsed, taken):
        self.recipients = list(envelope.rcpt_tos)
        self.sender = envelope.mail_from
        self.raw = envelope.content
        self.parsed = parsed
        self.taken = taken  # False: the sender was told no, or nothing


class MailSink:
    def __init__(self, hostname="127.0.0.1"):
        self.hostname = hostname
        self.tries = []
        self.answer = lambda address, mail: None
        self.admit = lambda address: None
        self.polite = True
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._released.set()
        self.port, = clusters.free_ports(1)
        self.url = f"smtp://{hostname}:{self.port}"
        self._controller = None
        self.start()

    def start(self):
        if self._controller:
            return
        self._controller = Controller(self, hostname=self.hostname, port=self.port)
        self._controller.start()

    def stop(self):
        self.release()
        self.polite = True
        if self._controller:
            self._controller.stop()
            self._controller = None

    def hold(self):
        self._released.clear()

    def release(self):
        self._released.set()

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # aiosmtpd's name
        refusal = self.admit(address)
        if refusal:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):  # aiosmtpd's name
        parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
        held = not self._released.is_set()
        refusal = None if held else self.answer(envelope.rcpt_tos[0], parsed)
        with self._lock:
            self.tries.append(Mail(envelope, parsed, not held and not refusal))
        if held:
            await wait_until(self._released.is_set)
            return "451 released"
        return refusal or "250 OK"

    async def handle_QUIT(self, _server, _session, _envelope):  # aiosmtpd's name
        await wait_until(lambda: self.polite)
        return "221 Bye"

    def tried(self, address):
        """Every mail that came for the address, also those refused."""
        with self._lock:
            return [mail for mail in self.tries if address in mail.recipients]

    def to(self, address):
        """The mails that were taken."""
        return [mail.parsed for mail in self.tried(address) if mail.taken]
