"""A person at the Explore page without a browser: what the browser would send and receive on the websocket."""

import asyncio
import random
import re
import time
from collections import Counter
from urllib.parse import quote_plus

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

MARKER = re.compile(rb"zq(\d+)zq")
WORDS = "who wrote the first novel about a journey through time and space in the last century".split()
PICTURE = b"attnviz_picture"  # the name of the component that the weights are sent to
LARGEST = 64 * 2**20  # bytes of a message
PATIENCE = 120.0  # seconds that a visitor waits for an answer


class Visitor:
    """Opens the page, then types now and then; each sentence holds a marker that no other visitor's has.

    `times` are seconds from sending an edit to the end of the script run. `errors` counts by name what went wrong: runs
    that ended badly, answers without the edit, exceptions on the page, broken connections. `leaks` are the markers of
    others that were received.
    """

    def __init__(self, address: str, number: int):
        self.address = f"{address.replace('http', 'ws', 1)}/_stcore/stream"
        self.origin = address
        self.number = number
        self.chance = random.Random(number)
        self.times: list[float] = []
        self.errors: Counter[str] = Counter()
        self.leaks: list[int] = []
        self._kept: dict[str, bytes] = {}  # messages that the browser keeps, by their hash
        self._page = self._field = self._fragment = ""
        self._edits = 0

    async def visit(self, seconds: float, ready: asyncio.Barrier) -> None:
        """Open the page, wait for the others, type about once a second for so long, and go."""
        waiting = True
        try:
            async with websockets.connect(
                self.address, subprotocols=["streamlit"], origin=self.origin, max_size=LARGEST, ping_interval=None
            ) as socket:
                await self._ask(socket, self._sentence(), first=True)
                waiting = False
                await ready.wait()
                await self._type(socket, seconds)
        except (OSError, TimeoutError, websockets.WebSocketException) as error:
            self.errors[type(error).__name__] += 1
            if waiting:
                await ready.wait()

    async def _type(self, socket: websockets.ClientConnection, seconds: float) -> None:
        await asyncio.sleep(self.chance.random())
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            start = time.perf_counter()
            await self._ask(socket, self._sentence())
            self.times.append(time.perf_counter() - start)
            await asyncio.sleep(max(0.0, self.chance.uniform(0.8, 1.2) - self.times[-1]))

    def _sentence(self) -> str:
        """Sixteen words: the marker, a word that is new each time, and others in an order of one's own."""
        self._edits += 1
        return " ".join([f"zq{self.number}zq", f"edit{self._edits}", *self.chance.sample(WORDS, 14)])

    async def _ask(self, socket: websockets.ClientConnection, text: str, first: bool = False) -> None:
        await socket.send(self._edit(text, first).SerializeToString())
        seen, message = False, ForwardMsg()
        async with asyncio.timeout(PATIENCE):
            async for data in socket:
                self._look(data)
                seen = seen or (PICTURE in data and f"zq{self.number}zq edit{self._edits}".encode() in data)
                message = ForwardMsg.FromString(data)
                self._learn(message, data)
                if message.WhichOneof("type") == "script_finished":
                    break
        wanted = ForwardMsg.FINISHED_SUCCESSFULLY if first else ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY
        if message.script_finished != wanted:
            self.errors[ForwardMsg.ScriptFinishedStatus.Name(message.script_finished)] += 1
        if not seen:
            self.errors["answer without the edit"] += 1

    def _edit(self, text: str, first: bool) -> BackMsg:
        asked = BackMsg()
        run = asked.rerun_script
        run.query_string = f"mechanism=multi_head&task=trec&text={quote_plus(text)}"
        run.context_info.timezone, run.context_info.locale, run.context_info.url = "UTC", "en-US", f"{self.origin}/"
        if first:
            return asked
        run.widget_states.widgets.add(id=self._field, string_value=text)
        run.page_script_hash, run.fragment_id = self._page, self._fragment
        run.cached_message_hashes.extend(self._kept)
        return asked

    def _look(self, data: bytes) -> None:
        self.leaks += [int(found) for found in MARKER.findall(data) if int(found) != self.number]

    def _learn(self, message: ForwardMsg, data: bytes) -> None:
        if message.metadata.cacheable:
            self._kept[message.hash] = data
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._page = message.new_session.page_script_hash
        elif kind == "ref_hash":
            if message.ref_hash not in self._kept:
                self.errors["reference to a message never sent"] += 1
        elif kind == "delta":
            self._learn_element(message)

    def _learn_element(self, message: ForwardMsg) -> None:
        element = message.delta.new_element
        if element.WhichOneof("type") == "exception":
            self.errors[f"exception on the page: {element.exception.type}"] += 1
        if element.WhichOneof("type") == "text_input" and element.text_input.query_param_key == "text":
            self._field, self._fragment = element.text_input.id, message.delta.fragment_id
