"""Visitors of the app without a browser: they speak Streamlit's protocol, and need no processor to draw pages."""

import asyncio
import json
import time
from typing import Any, Self
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

LIMIT_SECONDS = 60.0  # an answer that takes longer is not coming
DONE = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)


class Client:
    """One session: opens a page and presses what is on it, each press once the answer to the one before is there.

    It keeps no picture of the page, only the fragment of each widget by the widget's id, which ends with its key, and
    what stands in its fields of text and of numbers, which a browser sends with each press.
    """

    def __init__(self, connection: ClientConnection, address: str) -> None:
        self._connection = connection
        self.page, _, self._query = address.partition("?")
        self._fragments: dict[str, str] = {}
        self._typed: dict[str, WidgetState] = {}

    @classmethod
    async def open(cls, site: str, address: str) -> Self:
        """A session that has been shown a page, for example "sample?seed=3".

        Raises:
            RuntimeError: the page fails.
            TimeoutError: there is no answer.
        """
        server = urlsplit(site).netloc
        connection = await connect(f"ws://{server}/_stcore/stream", max_size=None)
        client = cls(connection, address)
        try:
            await client._ask()
        except BaseException:
            await client.close()
            raise
        return client

    async def press(self, key: str) -> float:
        """Seconds from a press on a button to the end of its answer.

        Raises:
            KeyError: the page has no such button.
        """
        return await self._ask(WidgetState(id=self._widget(key), trigger_value=True))

    async def choose(self, key: str, cell: int) -> float:
        """Seconds from a press on a cell of one of our grids to the end of its answer.

        Raises:
            KeyError: the page has no such grid.
        """
        value = {"chosen": {"cells": [cell], "stamp": time.time_ns() // 1_000_000}}
        return await self._ask(WidgetState(id=self._widget(key), json_value=json.dumps(value)))

    async def close(self) -> None:
        """End the session."""
        await self._connection.close()

    def _widget(self, key: str) -> str:
        for widget in self._fragments:
            if widget.endswith(f"-{key}"):
                return widget
        raise KeyError(f"the page has no widget {key}")

    async def _ask(self, change: WidgetState | None = None) -> float:
        message = BackMsg()
        message.rerun_script.page_name = self.page
        message.rerun_script.query_string = self._query
        if change is not None:
            message.rerun_script.fragment_id = self._fragments[change.id]
            message.rerun_script.widget_states.widgets.extend([*self._typed.values(), change])
        began = time.perf_counter()
        await self._connection.send(message.SerializeToString())
        async with asyncio.timeout(LIMIT_SECONDS):
            while not self._hear(await self._connection.recv()):
                pass
        return time.perf_counter() - began

    def _hear(self, data: str | bytes) -> bool:
        """Note what a message says; whether it ends the answer."""
        message = ForwardMsg.FromString(data if isinstance(data, bytes) else data.encode())
        kind = message.WhichOneof("type")
        if kind == "page_info_changed":
            self._query = message.page_info_changed.query_string
        elif kind == "delta":
            element = message.delta.new_element
            what = element.WhichOneof("type")
            if what in ("exception", "alert") and (what == "exception" or element.alert.format == element.alert.ERROR):
                raise RuntimeError(f"the page failed: {element}")
            widget = getattr(getattr(element, what), "id", "") if what else ""
            if widget:
                self._fragments[widget] = message.delta.fragment_id
            if what == "number_input":
                self._typed[widget] = WidgetState(id=widget, double_value=_value(element.number_input))
            elif what == "text_input":
                self._typed[widget] = WidgetState(id=widget, string_value=_value(element.text_input))
        return kind == "script_finished" and message.script_finished in DONE


def _value(field: Any) -> Any:
    """What stands in a field: what the server has put there last, or what it began with."""
    return field.value if field.set_value else field.default
