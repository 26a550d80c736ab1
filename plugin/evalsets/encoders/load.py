"""Encoders by name."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from evalsets.encoders.encoder import Encoder
from evalsets.errors import EncoderError


def load_encoder(encoder: Any) -> Encoder:
    """The encoder of that name, kept in memory until its files change.

    Args:
        encoder: ``open_clip:ARCH:PRETRAINED``, the path of a folder with
            ``open_clip_config.json``, a name of FiftyOne's model zoo, a FiftyOne model,
            or an encoder

    Raises:
        EncoderError: it cannot be loaded, with what would help
    """
    if isinstance(encoder, (str, Path)):
        return _load(str(encoder), _stamps(str(encoder)))
    if hasattr(encoder, "encode_images"):
        return encoder
    from evalsets.encoders.foreign import FiftyOneEncoder

    return FiftyOneEncoder(encoder, type(encoder).__name__)


def _stamps(name: str) -> tuple[tuple[int, int], ...]:
    """Time and size of the files of a local checkpoint."""
    from evalsets.encoders.clip import PREFIX

    weights = name.split(":", 2)[-1] if name.startswith(PREFIX) else name
    path = Path(weights).expanduser()
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    seen = [file.stat() for file in files if file.is_file()]
    return tuple((stat.st_mtime_ns, stat.st_size) for stat in seen)


@lru_cache(maxsize=2)
def _load(name: str, stamps: object) -> Encoder:  # noqa: ARG001, part of the key
    from evalsets.encoders.clip import PREFIX, ClipEncoder

    if name.startswith(PREFIX) or Path(name).expanduser().exists():
        return ClipEncoder(name)
    import fiftyone.zoo as foz

    from evalsets.encoders.foreign import FiftyOneEncoder

    if name not in foz.list_zoo_models():
        raise EncoderError(
            f"No encoder '{name}': there is no such path and no such model in "
            "FiftyOne's zoo; give open_clip:ARCHITECTURE:WEIGHTS, for example "
            "open_clip:ViT-B-32:laion2b_s34b_b79k"
        )
    try:
        model = foz.load_zoo_model(name)
    except Exception as error:
        raise EncoderError(
            f"Zoo model '{name}' cannot be loaded "
            f"({type(error).__name__}: {' '.join(str(error).split())[:200]}); its "
            "weights are fetched once from the network: connect, install what the "
            "model needs, or give the path of a local checkpoint"
        ) from error
    return FiftyOneEncoder(model, name)
