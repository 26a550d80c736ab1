"""open_clip models, from the hub or from a local checkpoint."""

from __future__ import annotations

import copy
import hashlib
import json
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import open_clip
import torch
from huggingface_hub import constants as hub

from evalsets.encoders.cores import cores
from evalsets.encoders.encoder import TEMPLATES, Vectors, unit
from evalsets.errors import ArgumentError, EncoderError, UnknownNameError

PREFIX = "open_clip:"
CONFIG = "open_clip_config.json"


class ClipEncoder:
    """An open_clip model; see ``Encoder`` for its attributes.

    Args:
        name: ``open_clip:ARCH:PRETRAINED``, where ``PRETRAINED`` is a tag of the hub or
            the path of a checkpoint, or the path of a folder with
            ``open_clip_config.json``
    """

    def __init__(self, name: str) -> None:
        source, pretrained, folder = _resolve(name)
        self.name = str(folder) if folder else f"{PREFIX}{source}:{pretrained}"
        self._model, self.prepare, self._tokenize = _create(
            name, source, pretrained, folder
        )
        self._place()
        self.templates: tuple[str, ...] = _templates(folder)
        self.scale = float(self._model.logit_scale.detach().exp())
        self.fingerprint = _fingerprint(self._model)
        self.dim = int(self.encode_texts(["a"]).shape[1])

    def __getstate__(self) -> dict[str, Any]:
        """To be sent to another machine, which may have another device."""
        model = self._model
        if self._device.type != "cpu":
            model = copy.deepcopy(model).to("cpu")
        return {**vars(self), "_model": model}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._place()

    def _place(self) -> None:
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._model.eval().to(self._device, memory_format=torch.channels_last)
        torch.set_num_threads(min(torch.get_num_threads(), cores()))

    def encode_images(self, batch: torch.Tensor) -> Vectors:
        """Unit vectors of prepared images ``(n, 3, height, width)``."""
        pixels = batch.to(
            self._device, non_blocking=True, memory_format=torch.channels_last
        )
        with torch.inference_mode(), self._autocast():
            return unit(self._model.encode_image(pixels).float().cpu().numpy())

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of texts, cut at the model's context length."""
        tokens = self._tokenize(list(texts)).to(self._device)
        with torch.inference_mode():
            return unit(self._model.encode_text(tokens).float().cpu().numpy())

    def _autocast(self) -> Any:
        return torch.autocast(self._device.type, enabled=self._device.type == "cuda")


def _resolve(name: str) -> tuple[str, str | None, Path | None]:
    """What open_clip is asked for: its model name, its weights, a local folder."""
    if name.startswith(PREFIX):
        architecture, _, pretrained = name[len(PREFIX) :].partition(":")
        if not architecture or not pretrained:
            raise ArgumentError(
                f"Encoder '{name}' needs an architecture and weights: "
                "open_clip:ViT-B-32:laion2b_s34b_b79k"
            )
        checkpoint = Path(pretrained).expanduser()
        if checkpoint.is_file():
            pretrained = str(checkpoint.resolve())
        return architecture, pretrained, None
    path = Path(name).expanduser().resolve()
    folder = path.parent if path.is_file() else path
    if path.is_file() and not (folder / CONFIG).is_file():
        raise EncoderError(
            f"Encoder '{name}' is a file without {CONFIG} beside it; give a checkpoint "
            "of open_clip that has one, or open_clip:ARCHITECTURE:CHECKPOINT"
        )
    if not (folder / CONFIG).is_file():
        raise EncoderError(
            f"Encoder '{name}': {folder} holds no {CONFIG}; give a folder that does, "
            "or open_clip:ARCHITECTURE:CHECKPOINT"
        )
    return f"local-dir:{folder}", None, folder


def _create(
    name: str, source: str, pretrained: str | None, folder: Path | None
) -> tuple[Any, Any, Any]:
    local = folder is not None or Path(pretrained or "").is_file()
    if folder is None:
        if source not in open_clip.list_models():
            raise UnknownNameError(
                "open_clip architecture", source, open_clip.list_models()
            )
        tags = open_clip.list_pretrained_tags_by_model(source)
        if pretrained not in tags and not local:
            raise UnknownNameError(f"weights of {source}", pretrained or "", tags)
    options = _tokenizer_options(folder)
    online = local or _reach_hub()
    try:
        with nullcontext() if online else _offline():
            model, _, prepare = open_clip.create_model_and_transforms(
                source, pretrained=pretrained, weights_only=True
            )
            tokenize = open_clip.get_tokenizer(source, **options)
    except Exception as error:
        if not online:
            raise EncoderError(
                f"The weights of encoder '{name}' are not on this machine and the hub "
                "cannot be reached; connect once, or give the path of a local "
                "checkpoint"
            ) from error
        first = str(error).strip().partition("\n")[0][:200]
        raise EncoderError(
            f"Encoder '{name}' cannot be loaded ({first}); give a checkpoint of that "
            "architecture that torch loads with weights_only=True"
        ) from error
    return model, prepare, tokenize


def _tokenizer_options(folder: Path | None) -> dict[str, str]:
    """The vocabulary beside a local checkpoint, whose config names it relatively."""
    if folder is None:
        return {}
    text = _config(folder).get("model_cfg", {}).get("text_cfg", {})
    vocabulary = (text.get("tokenizer_kwargs") or {}).get("bpe_path")
    if vocabulary is None:
        return {}
    path = (folder / vocabulary).resolve()
    if not path.is_file():
        raise EncoderError(f"The vocabulary {path} named in {folder / CONFIG} is gone")
    return {"bpe_path": str(path)}


def _templates(folder: Path | None) -> tuple[str, ...]:
    """The prompt ensemble a local checkpoint was trained for, else the usual one."""
    own = _config(folder).get("prompt_templates") if folder else None
    if not own:
        return TEMPLATES
    if not (isinstance(own, list) and all("{}" in str(one) for one in own)):
        raise EncoderError(
            f"prompt_templates in {folder}/{CONFIG} must be a list of texts, each with "
            "{} where the prompt goes"
        )
    return tuple(map(str, own))


def _config(folder: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((folder / CONFIG).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise EncoderError(f"{folder / CONFIG} cannot be read: {error}") from error


def _reach_hub() -> bool:
    endpoint = urlsplit(hub.ENDPOINT)
    if endpoint.scheme in getproxies():
        return True  # a direct connection would say nothing
    try:
        address = (endpoint.hostname or "", endpoint.port or 443)
        socket.create_connection(address, timeout=3).close()
    except OSError:
        return False
    return True


@contextmanager
def _offline() -> Iterator[None]:
    """Keeps the hub's client from retrying for a minute; its cache still serves."""
    before = hub.HF_HUB_OFFLINE
    hub.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        hub.HF_HUB_OFFLINE = before


def _fingerprint(model: torch.nn.Module) -> str:
    """Of the values that images are prepared by, and of the weights."""
    prepared_by = open_clip.get_model_preprocess_cfg(model)
    digest = hashlib.sha256(json.dumps(prepared_by, sort_keys=True).encode())
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:32]
