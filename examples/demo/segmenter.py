"""One small network for road, ocean and people, as two FiftyOne models."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import fiftyone as fo
import numpy as np
import torch
from fiftyone.core.models import Model
from PIL import Image
from safetensors.torch import load_file
from torch import nn
from torch.nn.functional import interpolate, max_pool2d

from examples.demo.scenes import HEIGHT, OCEAN, PERSON, ROAD, WIDTH

WEIGHTS = (
    Path(__file__).resolve().parent / "models" / "segmenter" / "segmenter.safetensors"
)
MASK_TARGETS = {ROAD: "road", OCEAN: "ocean", PERSON: "person"}
STRIDE = 2  # of the outputs
LIKELY = 0.4  # least confidence of a person


class SceneNet(nn.Module):
    """A U-Net that names each pixel and marks the centre and size of each person.

    Input: (n, 3, 192, 288) in 0 to 1. Outputs at half that size: class logits (n, 4),
    logits of the centres (n, 1), logarithms of widths and heights in pixels (n, 2);
    centres after CenterNet (Zhou et al., 2019).
    """

    def __init__(self) -> None:
        super().__init__()
        self.down2 = _block(3, 16, stride=2)
        self.down4 = nn.Sequential(_block(16, 32, stride=2), _block(32, 32))
        self.down8 = nn.Sequential(_block(32, 64, stride=2), _block(64, 64))
        self.down16 = nn.Sequential(_block(64, 96, stride=2), _block(96, 96))
        self.down32 = nn.Sequential(_block(96, 96, stride=2), _block(96, 96))
        self.up16 = _block(192, 64)
        self.up8 = _block(128, 48)
        self.up4 = _block(80, 32)
        self.up2 = _block(48, 32)
        self.head = nn.Conv2d(32, 7, 1)

    def forward(
        self, images: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Class logits, centre logits and log sizes."""
        x2 = self.down2(images - 0.5)
        x4 = self.down4(x2)
        x8 = self.down8(x4)
        x16 = self.down16(x8)
        x = self.up16(_joined(self.down32(x16), x16))
        x = self.up8(_joined(x, x8))
        x = self.up4(_joined(x, x4))
        classes, centres, sizes = self.head(self.up2(_joined(x, x2))).split(
            (4, 1, 2), dim=1
        )
        return classes, centres - 4, sizes + 3


def _block(n_in: int, n_out: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(n_in, n_out, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(n_out),
        nn.ReLU(inplace=True),
    )


def _joined(coarse: torch.Tensor, fine: torch.Tensor) -> torch.Tensor:
    return torch.cat([interpolate(coarse, size=fine.shape[2:]), fine], dim=1)


class _SceneModel(Model):
    """What both models share: how FiftyOne calls them, and the network."""

    media_type = "image"
    ragged_batches = False
    transforms = None
    preprocess = False

    def __init__(self, network: SceneNet) -> None:
        self._network = network.eval()

    def predict(self, arg: np.ndarray) -> fo.Label:
        """The label of one (H, W, 3) uint8 image."""
        return self.predict_all([arg])[0]

    @torch.inference_mode()
    def _outputs(self, images: list[np.ndarray]) -> tuple[torch.Tensor, ...]:
        resized = [
            np.asarray(Image.fromarray(image[..., :3]).resize((WIDTH, HEIGHT)))
            for image in images
        ]
        pixels = torch.from_numpy(np.stack(resized)).permute(0, 3, 1, 2)
        return self._network(pixels.float() / 255)


class SceneSegmenter(_SceneModel):
    """Names each pixel road, ocean or person; ``mask_targets`` maps the values."""

    mask_targets = MASK_TARGETS

    def predict_all(self, args: Iterable[np.ndarray]) -> list[fo.Segmentation]:
        """One mask for each image, of its size."""
        images = list(args)
        logits, _, _ = self._outputs(images)
        return [
            fo.Segmentation(mask=_mask(one, image.shape[:2]))
            for one, image in zip(logits, images, strict=True)
        ]


class PeopleDetector(_SceneModel):
    """Finds people."""

    classes = ("person",)

    def predict_all(self, args: Iterable[np.ndarray]) -> list[fo.Detections]:
        """The people in each image."""
        _, centres, sizes = self._outputs(list(args))
        return [
            fo.Detections(detections=_people(*one))
            for one in zip(centres[:, 0].sigmoid(), sizes.exp(), strict=True)
        ]


def load_scene_segmenter(weights: Path = WEIGHTS) -> SceneSegmenter:
    """The committed network as a segmenter."""
    return SceneSegmenter(_load(weights))


def load_people_detector(weights: Path = WEIGHTS) -> PeopleDetector:
    """The committed network as a detector of people."""
    return PeopleDetector(_load(weights))


def _load(weights: Path) -> SceneNet:
    network = SceneNet()
    network.load_state_dict(load_file(weights))
    return network


def _mask(logits: torch.Tensor, size: tuple[int, int]) -> np.ndarray:
    full = interpolate(logits[None], size=size, mode="bilinear", align_corners=False)
    return full[0].argmax(dim=0).to(torch.uint8).numpy()


def _people(heat: torch.Tensor, sizes: torch.Tensor) -> list[fo.Detection]:
    """Local maxima of the centres, with the size predicted there."""
    peaks = (heat == max_pool2d(heat[None], 3, 1, 1)[0]) & (heat >= LIKELY)
    rows, columns = peaks.nonzero(as_tuple=True)
    boxes = [
        _relative_box(int(row), int(column), *sizes[:, row, column].tolist())
        for row, column in zip(rows, columns, strict=True)
    ]
    return [
        fo.Detection(label="person", bounding_box=box, confidence=confidence)
        for box, confidence in zip(boxes, heat[rows, columns].tolist(), strict=True)
    ]


def _relative_box(row: int, column: int, width: float, height: float) -> list[float]:
    left, top = (column + 0.5) * STRIDE - width / 2, (row + 0.5) * STRIDE - height / 2
    return [left / WIDTH, top / HEIGHT, width / WIDTH, height / HEIGHT]
