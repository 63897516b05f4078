"""A worker of a Python group: loads one package and runs its tools, one call at a time.

Started by worker-channel.ts with a setup in JSON as its argument. Orders come as lines of JSON on descriptor 3, replies go
on descriptor 4; stdout and stderr are the tools' own. Written so that any Python 3 can say that it is too old.
"""

import sys

# The folder of this file is no place for tools to find modules in.
sys.path.pop(0)
# Nothing is written beside sources, of tools or ours: what is compiled counts as new for a whole second, and packages
# give their files one time for all.
sys.dont_write_bytecode = True

import importlib.util  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402

ORDERS, REPLIES = 3, 4


def reply(message):
    text = json.dumps(message, ensure_ascii=False, allow_nan=False)
    data = memoryview(text.encode("utf-8", "replace") + b"\n")
    with reply_lock:
        while data:
            data = data[os.write(REPLIES, data) :]


def load_own_parts():
    """`mochi_host`, without a search path that tools could see."""
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mochi_host")
    spec = importlib.util.spec_from_file_location(
        "mochi_host", os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
    )
    package = importlib.util.module_from_spec(spec)
    sys.modules["mochi_host"] = package
    spec.loader.exec_module(package)


def load_package(setup):
    """The package of the group, as `mochi_tools.{group}`; the one of the tools folder itself as `mochi_tools`."""
    entry, tools_folder = setup["entry"], setup["toolsFolder"]
    # Last: what lies there can be imported, and hides nothing.
    sys.path.append(tools_folder)
    name = "mochi_tools"
    folder = os.path.dirname(entry)
    if os.path.normcase(folder) != os.path.normcase(tools_folder):
        parent = types.ModuleType(name)
        parent.__path__ = [tools_folder]
        sys.modules[name] = parent
        name += "." + setup["group"].replace(".", "_")
    spec = importlib.util.spec_from_file_location(name, entry, submodule_search_locations=[folder])
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def load(setup):
    """Tools by name. What cannot be loaded is said, and ends the process."""
    from mochi_host.results import load_fault
    from mochi_host.tools import Tool, list_tools

    try:
        module = load_package(setup)
        found, problems = list_tools(module)
    except BaseException as error:
        reply({"type": "refused", "message": load_fault(error, setup["entry"])})
        raise
    tools = {}
    for name, function in found:
        try:
            tools[name], more = Tool.read(name, function)
            problems.extend(more)
        except Exception as error:
            problems.append("%s cannot be a tool: %s" % (name, error))
    reply({"type": "loaded", "tools": [tool.described for tool in tools.values()], "problems": problems})
    return tools


class Calls:
    """Runs what it is told, in the main thread; another one listens, so that a call can be stopped."""

    def __init__(self, tools, setup):
        self.tools = tools
        self.limit = setup["maxOutputBytes"]
        self.orders = queue.Queue()
        self.loop = None
        self.current = None
        self.task = None
        self.is_stopped = False

    def listen(self):
        with os.fdopen(ORDERS, "rb") as lines:
            for line in lines:
                order = json.loads(line)
                if order["type"] == "run":
                    self.orders.put(order)
                elif order["id"] == self.current:
                    self.stop()
        # The server is gone, or has no more use for this process.
        if self.current is not None:
            os._exit(1)
        self.orders.put(None)

    def stop(self):
        self.is_stopped = True
        if self.task is not None:
            self.loop.call_soon_threadsafe(self.task.cancel)
        else:
            # Wakes what sleeps, too, and lets the function tidy up.
            os.kill(os.getpid(), signal.SIGINT)

    def interrupt(self, _number, _frame):
        if self.current is not None and self.is_stopped:
            raise KeyboardInterrupt()

    def run_all(self):
        signal.signal(signal.SIGINT, self.interrupt)
        while True:
            order = self.orders.get()
            if order is None:
                return
            try:
                self.run(order)
            except KeyboardInterrupt:
                # It came when the call had just ended.
                self.finish(order, False, "The call was cancelled")

    def run(self, order):
        from mochi_host.results import error_text, result_text

        self.is_stopped = False
        self.current = order["id"]
        reply({"type": "began", "id": order["id"]})
        try:
            success, text = True, result_text(self.call(order))
        except KeyboardInterrupt:
            success, text = False, "The call was cancelled"
        except BaseException as error:
            # Where it was is for the log; what it was is for the model.
            traceback.print_exc()
            success, text = False, error_text(error)
        self.current = None
        self.finish(order, success, text)

    def call(self, order):
        result = self.tools[order["tool"]].call(order["arguments"], self.context(order))
        if not inspect.isawaitable(result):
            return result
        if self.loop is None:
            self.loop = asyncio.new_event_loop()
            asyncio.set_event_loop(self.loop)
        try:
            self.task = asyncio.ensure_future(result, loop=self.loop)
            return self.loop.run_until_complete(self.task)
        except asyncio.CancelledError:
            raise KeyboardInterrupt() from None
        finally:
            self.task = None

    def context(self, order):
        told = order["context"]
        names = ("sessionId", "turnId", "toolCallId", "executionId", "attempt", "idempotencyKey")
        context = {re.sub("([A-Z])", r"_\1", name).lower(): told[name] for name in names}
        context["progress"] = self.progress_of(order["id"])
        context["is_cancelled"] = lambda: self.is_stopped
        return context

    def progress_of(self, call):
        last = [0.0]

        def progress(message=None, progress=None, total=None):
            if time.monotonic() - last[0] < 0.1:
                return
            last[0] = time.monotonic()
            numbers = [
                value if isinstance(value, (int, float)) and math.isfinite(value) else None
                for value in (progress, total)
            ]
            text = None if message is None else str(message)
            reply({"type": "progress", "id": call, "message": text, "progress": numbers[0], "total": numbers[1]})

        return progress

    def finish(self, order, success, text):
        from mochi_host.results import cut_output

        self.current = None
        for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
            try:
                stream.flush()
            except (OSError, ValueError, AttributeError):
                pass  # The tool has closed it, or put another in its place.
        for descriptor in (1, 2):
            try:
                os.write(descriptor, order["mark"].encode("ascii"))
            except OSError:
                pass
        text, truncated = cut_output(text, self.limit)
        reply({"type": "ended", "id": order["id"], "success": success, "text": text, "truncated": truncated})


if sys.version_info < (3, 9):
    import threading

    reply_lock = threading.Lock()
    reply({"type": "refused", "message": "Python 3.9 or newer is needed; this is %d.%d" % sys.version_info[:2]})
    sys.exit(1)

import asyncio  # noqa: E402
import inspect  # noqa: E402
import math  # noqa: E402
import queue  # noqa: E402
import re  # noqa: E402
import signal  # noqa: E402
import threading  # noqa: E402
import time  # noqa: E402
import traceback  # noqa: E402
import types  # noqa: E402

if __name__ == "__main__":
    reply_lock = threading.Lock()
    # Programs that tools start have no business with our channel.
    os.set_inheritable(ORDERS, False)
    os.set_inheritable(REPLIES, False)
    sys.stdout.reconfigure(line_buffering=True)
    load_own_parts()
    given = json.loads(sys.argv[1])
    sys.argv[1:] = []
    calls = Calls(load(given), given)
    threading.Thread(target=calls.listen, daemon=True).start()
    calls.run_all()
