"""A pass on Ray: workers hold the models and take batches, this process alone writes."""

from __future__ import annotations

import logging
import pickle
import threading
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

import torch

from evalsets.api.checking import check_whole
from evalsets.api.onepass import Engine, Task
from evalsets.api.steps import Finisher, Made
from evalsets.encoders.batches import Job, batches_ahead
from evalsets.errors import ArgumentError, EvalsetsError

logger = logging.getLogger(__name__)

_Portion: TypeAlias = Sequence[int]

_ALONE = {"FIFTYONE_DISABLE_SERVICES": "1"}
"""Keeps FiftyOne from starting a database beside each worker."""
_AT_ONCE = 2
"""Batches a worker has: it decodes one while its model is busy with the other."""
_STILLBORN = 3
"""So many workers that die before they begin, one after another, tell of a fault."""
_PATIENCE_S = 60.0
_WAITS = 15
"""So often without any worker it waits, which suffices for nodes that are yet to come."""


def on_ray(workers: int | None) -> Engine:
    """An engine of Ray's workers, on the cluster of ``RAY_ADDRESS`` or on this machine.

    Args:
        workers: how many; by default as many as there are GPUs or, where there is none,
            as the processors suffice for

    Raises:
        ArgumentError: there are less than one, or Ray is not installed
    """
    if workers is not None:
        check_whole(workers=workers)
    try:
        import ray
    except ImportError as error:
        raise ArgumentError(
            f"engine 'ray' needs a package that is missing ({error}); "
            "pip install 'evalsets[ray]'"
        ) from error
    return partial(_pass, ray, workers)


def _pass(ray: Any, workers: int | None, task: Task) -> Iterator[Made]:
    """What is lost with a worker is done again: by itself, then image by image."""
    shared = _pickled(ray, task)
    ours = not ray.is_initialized()
    if ours:
        ray.init(include_dashboard=False, log_to_driver=False)
    crew = _crew(ray, workers, ray.put(shared))
    try:
        lost = yield from crew.take(task, task.portions, _AT_ONCE)
        lost = yield from crew.take(task, lost, 1)
        lost = yield from crew.take(task, [[at] for some in lost for at in some], 1)
        for (at,) in lost:
            i = task.ids[at]
            yield Made([i], (), {i: "its worker died"})
    finally:
        crew.dismiss()
        if ours:
            ray.shutdown()


def _pickled(ray: Any, task: Task) -> bytes:
    steps = [replace(step, wanted=frozenset()) for step in task.steps]
    try:
        return bytes(
            ray.cloudpickle.dumps((steps, task.proven, torch.get_num_threads()))
        )
    except Exception as error:
        raise ArgumentError(
            f"The encoder or a tagger cannot be sent to Ray's workers ({error}); use "
            "engine 'local', or give a model that can be pickled"
        ) from error


def _crew(ray: Any, workers: int | None, shared: Any) -> _Crew:
    """Workers with a GPU each and its share of processors, or with processors only."""
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    gpus = [node for node in nodes if node.get("GPU")]
    threads = torch.get_num_threads()
    if gpus:
        size = workers or sum(int(node["GPU"]) for node in gpus)
        n_cpus = min(int(node.get("CPU", 1) // node["GPU"]) for node in gpus)
    else:
        cpus = [int(node.get("CPU", 0)) for node in nodes]
        size = workers or max(1, sum(n // threads for n in cpus))
        n_cpus = min(threads, sum(cpus) // size)
    worker = ray.remote(
        num_cpus=max(1, n_cpus),
        num_gpus=1 if gpus else 0,
        max_restarts=0,
        max_task_retries=0,
        max_concurrency=_AT_ONCE,
        runtime_env={"env_vars": _ALONE},
    )(_Worker)
    return _Crew(ray, partial(worker.remote, shared), size)


class _Crew:
    """Workers, of whom each that dies is replaced by a new one.

    Args:
        ray: the package
        hire: starts a worker
        size: how many there are to be
    """

    def __init__(self, ray: Any, hire: Callable[[], Any], size: int) -> None:
        self._ray = ray
        self._hire = hire
        self._size = size
        self._starting: dict[Any, Any] = {}
        self._ready: list[Any] = []
        self._stillborn = 0
        self._waits = 0
        self._works = False

    def take(
        self, task: Task, portions: Sequence[_Portion], at_once: int
    ) -> Generator[Made, None, list[_Portion]]:
        """What comes of portions, in any order; returns those that were lost.

        Args:
            task: that they are of
            portions: each is handed out once
            at_once: how many a worker has
        """
        todo, lost = deque(portions), list[_Portion]()
        handed: dict[Any, tuple[Any, _Portion]] = {}
        while todo or handed:
            self._complete(len(todo))
            busy = Counter(worker for worker, _ in handed.values())
            for worker in self._ready * at_once:
                if todo and busy[worker] < at_once:
                    busy[worker] += 1
                    portion = todo.popleft()
                    pairs = [(task.ids[at], task.jobs[at]) for at in portion]
                    handed[worker.take.remote(pairs)] = worker, portion
            for ref in self._next([*handed, *self._starting]):
                if ref in self._starting:
                    self._begin(ref)
                    continue
                worker, portion = handed.pop(ref)
                try:
                    made = self._ray.get(ref)
                except self._ray.exceptions.RayError as error:
                    logger.debug("A worker died: %s", error)
                    lost.append(portion)
                    self._bury(worker)
                    continue
                if isinstance(made, Made):
                    self._works |= bool(made.parts)
                    yield made
                elif self._works and not isinstance(made, EvalsetsError):
                    lost.append(portion)  # all its images may be bad
                else:
                    raise made
        return lost

    def dismiss(self) -> None:
        """Ends all workers."""
        for worker in [*self._ready, *self._starting.values()]:
            self._ray.kill(worker)

    def _complete(self, n_wanted: int) -> None:
        while len(self._ready) + len(self._starting) < min(self._size, n_wanted):
            worker = self._hire()
            self._starting[worker.ready.remote()] = worker

    def _next(self, refs: list[Any]) -> list[Any]:
        done, _ = self._ray.wait(refs, timeout=_PATIENCE_S)
        if done or self._ready:
            self._waits = 0
            return list(done)
        self._waits += 1
        told = (
            f"No worker of Ray has begun for {self._waits * _PATIENCE_S:.0f} s; see "
            "whether the cluster has room (ray status)"
        )
        if self._waits == _WAITS:
            raise EvalsetsError(f"{told} and call again, which goes on from here")
        logger.warning("%s", told)
        return []

    def _begin(self, ref: Any) -> None:
        worker = self._starting.pop(ref)
        try:
            self._ray.get(ref)
        except self._ray.exceptions.RayError as error:
            self._stillborn += 1
            if self._stillborn < _STILLBORN:
                return
            said = str(error).strip().rpartition("\n")[2]
            raise EvalsetsError(
                f"No worker of Ray can begin ({said}); install evalsets with the same "
                "packages on every node, and see that its memory suffices"
            ) from error
        self._stillborn = 0
        self._ready.append(worker)

    def _bury(self, worker: Any) -> None:
        """Forgets a worker; one that is only out of reach is ended, too."""
        if worker in self._ready:
            self._ready.remove(worker)
            self._ray.kill(worker)


class _Worker:
    """Takes portions of images; it lives on Ray, in a process of its own."""

    def __init__(self, shared: bytes) -> None:
        import ray

        steps, proven, self._threads = ray.cloudpickle.loads(shared)
        self._readers = [step.reader for step in steps]
        self._finish = Finisher(steps, proven)
        resources = ray.get_runtime_context().get_assigned_resources()
        self._decoders = max(1, int(resources.get("CPU", 1)))
        self._model = threading.Lock()

    def ready(self) -> None:
        """Returns when the models are loaded."""

    def take(self, pairs: Sequence[tuple[str, Job]]) -> Made | Exception:
        """What comes of a batch, or what is to be raised."""
        ids, jobs = zip(*pairs, strict=True)
        whole = [range(len(ids))]
        try:
            (batch,) = batches_ahead(jobs, self._readers, whole, self._decoders)
            with self._model:
                torch.set_num_threads(self._threads)  # sums depend on it
                return self._finish(batch, ids)
        except Exception as error:  # noqa: BLE001 - raised where the driver is
            return _sendable(error)


def _sendable(error: Exception) -> Exception:
    """The error if it can be read again, else one that says the same."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - made in the same line
    except Exception:  # noqa: BLE001 - it has what pickle cannot take
        said = str(error)
        own = isinstance(error, EvalsetsError)
        return EvalsetsError(said if own else f"A worker of Ray failed: {said}")
    return error
