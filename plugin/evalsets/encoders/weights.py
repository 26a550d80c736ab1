"""What tells one model's weights from another's."""

from __future__ import annotations

import hashlib
from typing import Any

import torch


def weights_of(model: Any) -> str:
    """Hash of a FiftyOne model's weights.

    A model that keeps them elsewhere than in a torch module tells its own, in an
    attribute ``fingerprint``. Empty where they cannot be seen.
    """
    own = getattr(model, "fingerprint", None)
    if own:
        return str(own)
    held = (model, getattr(model, "_model", None), getattr(model, "model", None))
    module = next((m for m in held if isinstance(m, torch.nn.Module)), None)
    if module is None:
        return ""
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        if not isinstance(tensor, torch.Tensor):  # of a quantized module
            digest.update(f"{name} {tensor!r}".encode())
            continue
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        content = tensor.detach().cpu().contiguous().flatten()
        digest.update(content.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:32]
