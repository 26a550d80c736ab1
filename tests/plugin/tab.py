"""A panel's tab without a browser."""

import json
import time

import fiftyone as fo
from bson import json_util
from fiftyone.operators.executor import ExecutionContext, Executor


class Tab:
    """A panel as the browser holds it: its state goes in with each event."""

    def __init__(self, panel, dataset):
        self.panel = panel
        self.dataset = dataset
        self.state = {}
        self.requests = []
        self.selected = []

    def event(self, method, **params):
        """Runs one handler and waits for its work; then all is as the App has it."""
        self.send(method, **params)
        self.wait()
        return self

    def wait(self):
        """Asks for what goes on until it is shown, as the browser does."""
        while key := self.state.get("work"):
            time.sleep(0.05)
            if self.send("progress", work=key)["done"]:
                self.send("finish")

    def send(self, method, **params):
        """Runs one handler; its answer."""
        params |= {"panel_id": "p", "panel_state": self.state, "__method__": method}
        request = {
            "dataset_name": self.dataset.name,
            "dataset_id": str(self.dataset._doc.id),
            "params": params,
            "selected": self.selected,
        }
        ctx = ExecutionContext(request, executor=Executor())
        answer = self.panel.execute(ctx)
        if method != "progress":
            self.requests = [(r.operator_uri, r.params) for r in ctx.executor._requests]
            json.dumps(self.requests)
        return answer

    def asked(self, operator):
        """Parameters of the App's operators that the event asked for."""
        return [params for uri, params in self.requests if uri == operator]

    @property
    def notices(self):
        return [params["message"] for params in self.asked("notify")]

    @property
    def text(self):
        """All that the last render shows."""
        (shown,) = self.asked("show_panel_output")
        return json.dumps(shown, ensure_ascii=False)

    def view(self):
        """The view that the App was told to show."""
        (params,) = self.asked("set_view")
        stages = json_util.loads(json.dumps(params["view"]))  # as the server reads them
        return fo.DatasetView._build(self.dataset, stages)
