"""A pass on Ray: workers hold the models and take images, this process alone writes.

A worker that dies loses what it had in hand; that is done again, at last image by image,
so that a file which ends every worker is named and costs nothing but itself.
"""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from evalsets.api.onepass import Engine, Task
from evalsets.api.steps import Finisher, Made
from evalsets.encoders.batches import Job, batches_ahead
from evalsets.errors import ArgumentError, EvalsetsError

PORTIONS_A_ROUND = 10_000
"""Batches that are handed to Ray at a time; this process holds no more of them."""
_PORTIONS_A_CALL = 4
"""A worker decodes the next of them while its model is busy with one."""
_ALONE = {"FIFTYONE_DISABLE_SERVICES": "1"}
"""Keeps FiftyOne from starting a database beside each worker."""


@dataclass(frozen=True)
class _Cluster:
    """Ray, how many workers there are to be, and what each is given and takes of it."""

    ray: Any
    workers: int
    options: Mapping[str, Any]


def on_ray(workers: int | None) -> Engine:
    """An engine of Ray's workers, on the cluster of ``RAY_ADDRESS`` or on this machine.

    Args:
        workers: how many; by default one a GPU, or one a processor where there is none

    Raises:
        ArgumentError: there are less than one, or Ray is not installed
    """
    if workers is not None and workers < 1:
        raise ArgumentError(f"workers is {workers}; give at least 1")
    try:
        import ray.data
    except ImportError as error:
        raise ArgumentError(
            f"engine 'ray' needs a package that is missing ({error}); "
            "pip install 'evalsets[ray]'"
        ) from error
    return partial(_pass, ray, workers)


def _pass(ray: Any, workers: int | None, task: Task) -> Iterator[Made]:
    shared = _pickled(ray, task)
    ours = not ray.is_initialized()
    if ours:
        ray.init(include_dashboard=False, log_to_driver=False)
    try:
        cluster = _cluster(ray, workers, ray.put(shared))
        for at in range(0, len(task.portions), PORTIONS_A_ROUND):
            yield from _round(cluster, task, task.portions[at : at + PORTIONS_A_ROUND])
    finally:
        if ours:
            ray.shutdown()


def _pickled(ray: Any, task: Task) -> bytes:
    steps = [replace(step, wanted=frozenset()) for step in task.steps]
    try:
        return bytes(ray.cloudpickle.dumps((steps, task.proven)))
    except Exception as error:
        raise ArgumentError(
            f"The encoder or a tagger cannot be sent to Ray's workers ({error}); use "
            "engine 'local', or give a model that can be pickled"
        ) from error


def _cluster(ray: Any, workers: int | None, shared: Any) -> _Cluster:
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    gpus = [node for node in nodes if node.get("GPU")]
    if gpus:
        most = sum(int(node["GPU"]) for node in gpus)
        n_cpus = min(int(node.get("CPU", 1) // node["GPU"]) for node in gpus)
    else:
        most, n_cpus = sum(int(node.get("CPU", 0)) for node in nodes), 1
    options = {
        "fn_constructor_args": [shared],
        "num_cpus": max(1, n_cpus),
        "num_gpus": 1 if gpus else 0,
        "max_restarts": -1,
        "max_task_retries": 0,  # what ends one worker would end them all
        "runtime_env": {"env_vars": _ALONE},
    }
    return _Cluster(ray, workers or max(1, most), options)


def _round(
    cluster: _Cluster, task: Task, portions: Sequence[Sequence[int]]
) -> Iterator[Made]:
    """Portions that are lost are done again by ones; what is lost then has failed."""
    taken: set[str] = set()
    todo = portions
    for _ in range(2):
        for made in _results(cluster, task, todo):
            taken.update(made.ids)
            yield made
        if not taken and len(task.proven) < len(task.steps):
            _fail(cluster, task, portions[0])
        todo = [[at] for p in todo for at in p if task.ids[at] not in taken]
    lost = [task.ids[at] for portion in todo for at in portion]
    if lost:
        yield Made(lost, (), dict.fromkeys(lost, "its worker died"))


def _results(
    cluster: _Cluster,
    task: Task,
    portions: Sequence[Sequence[int]],
    most_lost: int = -1,
) -> Iterator[Made]:
    """What workers send back, in any order; nothing of what they lost.

    Raises:
        EvalsetsError: a step is broken
    """
    if not portions:
        return
    rows = [
        {"portion": pickle.dumps([(task.ids[at], task.jobs[at]) for at in portion])}
        for portion in portions
    ]
    a_call = 1 if len(portions[0]) == 1 else _PORTIONS_A_CALL
    n_calls = -(-len(rows) // a_call)
    data = cluster.ray.data
    handed = data.from_items(rows, override_num_blocks=n_calls)
    handed.context.enable_progress_bars = False
    handed.context.max_errored_blocks = most_lost
    with warnings.catch_warnings():  # no named parameter bounds retries yet
        warnings.filterwarnings("ignore", ".*ray_remote_args", DeprecationWarning)
        pool = data.ActorPoolStrategy(
            size=min(cluster.workers, n_calls),
            max_tasks_in_flight_per_actor=1,  # a worker that dies takes no more along
        )
        sent = handed.map_batches(
            _Worker, batch_size=None, compute=pool, **cluster.options
        )
    for block in sent.iter_batches(batch_size=None, prefetch_batches=0):
        for one in block["made"]:
            made = pickle.loads(one)  # noqa: S301 - our own workers sent it
            if isinstance(made, Exception):
                raise made
            yield made


def _fail(cluster: _Cluster, task: Task, portion: Sequence[int]) -> None:
    """Tells why no worker gives anything."""
    try:
        list(_results(cluster, task, [portion], most_lost=0))
    except EvalsetsError:
        raise
    except Exception as error:
        said = str(error).strip().rpartition("\n")[2]
        raise EvalsetsError(
            f"No worker of Ray gave anything ({said}); install evalsets with the same "
            "packages on every node, and see that files and memory are within reach"
        ) from error


class _Worker:
    """Takes portions of images; it lives on Ray, in a process of its own."""

    def __init__(self, shared: Any) -> None:
        import ray

        steps, proven = ray.cloudpickle.loads(ray.get(shared))
        self._readers = [step.reader for step in steps]
        self._finish = Finisher(steps, proven)
        resources = ray.get_runtime_context().get_assigned_resources()
        self._threads = max(1, int(resources.get("CPU", 1)))

    def __call__(self, block: Mapping[str, Any]) -> dict[str, list[bytes]]:
        ids: list[str] = []
        jobs: list[Job] = []
        portions = []
        for portion in block["portion"]:
            pairs = pickle.loads(portion)  # noqa: S301 - the driver sent it
            portions.append(range(len(ids), len(ids) + len(pairs)))
            ids += [i for i, _ in pairs]
            jobs += [job for _, job in pairs]
        batches = batches_ahead(jobs, self._readers, portions, self._threads)
        try:
            made = [pickle.dumps(self._finish(batch, ids)) for batch in batches]
        except Exception as error:  # noqa: BLE001 - raised where the driver is
            made = [_sent(error)]
        return {"made": made}


def _sent(error: Exception) -> bytes:
    """An error that can be read again; one of ours stays one."""
    try:
        sent = pickle.dumps(error)
        pickle.loads(sent)  # noqa: S301 - made the line before
    except Exception:  # noqa: BLE001 - it has what pickle cannot take
        return pickle.dumps(EvalsetsError(f"A worker of Ray failed: {error}"))
    return sent
