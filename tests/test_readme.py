import ast
import datetime as dt
import re
from pathlib import Path

import pytest
from PIL import Image

import evalsets as es
from evalsets.query import parse, to_text

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SECTION = README.partition("## The query language")[2].partition("\n## ")[0]
TABLE = SECTION.partition("| construct | example |")[2].partition("\n\n")[0]
QUERIES = [
    query
    for line in TABLE.splitlines()[2:]
    for query in re.findall(r"`([^`]+)`", line.split("|")[2])
]
ERRORS, WARNINGS = re.findall(r"```\n(.*?)\n```", SECTION, re.DOTALL)[:2]
SAMPLE_ID = "65f0c0ffee0123456789abcd"


@pytest.mark.parametrize("query", QUERIES)
def test_every_query_of_the_readme_reads_and_prints_as_itself(query):
    assert parse(to_text(parse(query))) == parse(query)


def test_the_readme_shows_queries():
    assert len(QUERIES) > 30


@pytest.fixture(scope="module")
def road(tmp_path_factory):
    """Some drawn photographs with all the fields that the readme speaks of."""
    import fiftyone as fo

    from examples.demo.scenes import write_world

    folder = tmp_path_factory.mktemp("road")
    write_world(folder, n_scenes=12, seed=3)
    for name, path in zip("abcd", sorted(folder.glob("*.jpg")), strict=False):
        path.rename(folder / f"{name}.jpg")
    next(folder.glob("bridge*.jpg")).rename(folder / "bridge.jpg")
    Image.open(folder / "d.jpg").resize((64, 32)).save(folder / "d.jpg")
    (folder / "labels.csv").unlink()
    dataset = es.sync(folder, fo.Dataset())
    es.embed(dataset, str(ROOT / "examples" / "demo" / "models" / "clip"))
    es.tag(dataset, [{"statistics": {}}])
    for i, sample in enumerate(dataset.iter_samples(autosave=True)):
        fill(sample, i)
    wrong = dict.fromkeys(dataset.values("filepath"), "sea")
    es.upload_predictions(dataset, "candidate", wrong)
    dark = es.Population("dark", "brightness < 0.4", holdout=0.5)
    es.compose(dataset, [dark, es.Population("crowded", "num_people > 5")])
    es.split(dataset)
    yield dataset
    dataset.delete()


def fill(sample, i: int) -> None:
    """Gives the ``i``-th sample what labels and taggers would."""
    import fiftyone as fo

    sample["num_people"] = None if i % 7 == 6 else i % 10
    sample["time"] = ("day", "night", "sunset")[i % 3]
    sample["ground_truth"] = fo.Classification(label=("sea", "road")[i % 2])
    sample["day"] = dt.date(2024, 5, 25) + dt.timedelta(days=i)
    sample["taken"] = dt.datetime.fromisoformat("2024-05-25") + dt.timedelta(days=i)
    sample.tags = ["reviewed"] if i % 2 else []
    if i % 5:
        label = ("sunny", "rain")[i % 2]
        sample["weather"] = fo.Classification(label=label, confidence=0.5 + i % 5 / 10)
    sample["gt"] = fo.Detections(
        detections=[
            fo.Detection(
                label=("person", "car")[i % 2],
                bounding_box=[0.1, 0.1, 0.05 * (k + 1), 0.15],
                confidence=0.5 + k / 10 if i % 3 else 0.4,
            )
            for k in range(i % 5)
        ]
    )


@pytest.mark.db
@pytest.mark.parametrize("query", QUERIES)
def test_every_query_of_the_readme_finds_some_samples_and_not_others(road, query):
    found = es.search(road, query.replace(SAMPLE_ID, road.first().id))
    assert 0 < len(found) < len(road)


@pytest.mark.db
@pytest.mark.parametrize("shown", ERRORS.split("\n\n"))
def test_every_error_of_the_readme_is_the_one_that_is_given(road, shown):
    query = shown.splitlines()[1].strip()
    with pytest.raises(es.EvalsetsError) as caught:
        es.search(road, query)
    assert str(caught.value) == shown


@pytest.mark.db
@pytest.mark.parametrize("shown", WARNINGS.splitlines())
def test_every_warning_of_the_readme_is_the_one_that_is_given(road, shown):
    (prompt,) = re.findall(r"\('(.*?)'\); write", shown)
    assert str(es.advise(road, f"text('{prompt}') > 0.27")) == shown


@pytest.mark.parametrize(
    "code",
    re.findall(r"```python\n(.*?)```", README, re.DOTALL),
    ids=lambda code: code.split()[0],
)
def test_python_of_the_readme_uses_public_names_only(code):
    tree = ast.parse(code)
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "es"
    }
    assert used <= set(es.__all__)


def test_every_command_of_the_readme_exists():
    import typer

    from evalsets.cli import app

    commands = set(typer.main.get_command(app).commands)
    shown = set(re.findall(r"^evalsets ([a-z-]+)", README, re.MULTILINE))
    assert shown <= commands
