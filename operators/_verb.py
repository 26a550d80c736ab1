"""What every operator has in common."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
from fiftyone.operators.executor import ExecutionResult

_IN_VIEW = "in_view"


class Verb(foo.Operator):
    """An operator that scripts can call as they call a function.

    ``foo.get_operator("@evalsets/evalsets/search")(dataset, query="num_people > 5")``
    """

    def __call__(
        self, dataset: fo.Dataset | fo.DatasetView | str, /, **params: Any
    ) -> Any:
        """Runs the operator and returns its result; in a notebook, a task to await.

        Args:
            dataset: or its name, or a view to work in
            **params: what its form asks for
        """
        if isinstance(dataset, fo.DatasetView):
            ctx, params = {"view": dataset}, {**params, _IN_VIEW: True}
        else:
            ctx = {"dataset": dataset}
        done = foo.execute_operator(self.uri, ctx, params=params)
        return done.result if isinstance(done, ExecutionResult) else done


def scope(ctx: foo.ExecutionContext) -> fo.Dataset | fo.DatasetView:
    """The dataset, or the view that a script asked for.

    The view that the App happens to show does not narrow a verb.
    """
    return ctx.view if ctx.params.get(_IN_VIEW) else ctx.dataset
