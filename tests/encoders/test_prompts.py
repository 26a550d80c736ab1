"""What a prompt means to an encoder."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from evalsets.encoders import load_encoder
from evalsets.encoders.encoder import prompt_vector
from evalsets.errors import EncoderError

CLIP = Path(__file__).parents[2] / "examples" / "demo" / "models" / "clip"


def test_a_prompt_is_the_mean_over_the_templates_whatever_it_holds():
    encoder = load_encoder(str(CLIP))
    for prompt in ("a windy road", "{} {0} {x} %s", "两辆车"):
        texts = [t.replace("{}", prompt) for t in encoder.templates]
        mean = encoder.encode_texts(texts).mean(axis=0)
        found = prompt_vector(encoder, prompt)
        assert np.allclose(found, mean / np.linalg.norm(mean), atol=1e-6)
        assert np.isclose(np.linalg.norm(found), 1)


@pytest.mark.parametrize("templates", ["a photo of {}", ["a photo"], [3], {"{}": 1}])
def test_templates_without_a_place_for_the_prompt_are_refused(tmp_path, templates):
    folder = tmp_path / "clip"
    shutil.copytree(CLIP, folder)
    path = folder / "open_clip_config.json"
    config = json.loads(path.read_text()) | {"prompt_templates": templates}
    path.write_text(json.dumps(config))
    with pytest.raises(EncoderError, match="list of texts"):
        load_encoder(str(folder))
