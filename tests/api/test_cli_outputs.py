"""What the command line writes and says: files, options, and what it found clean."""

from xml.etree import ElementTree as ET

import fiftyone as fo
import pytest

import evalsets as es
from evalsets.cli import data
from evalsets.cli.wording import Words

pytestmark = pytest.mark.db


@pytest.fixture
def judged(dataset):
    """Forty samples in train and test, one population, and a model that is right."""
    dataset.add_samples(
        [
            fo.Sample(
                f"/{n:02}.png",
                shade=n,
                split="train" if n % 2 else "test",
                ground_truth=fo.Classification(label="a"),
            )
            for n in range(40)
        ]
    )
    half = es.Requirement("accuracy", at_least=0.5)
    es.compose(dataset, es.Population("bright", "shade > 9", require=[half]))
    es.upload_predictions(dataset, "right", dict.fromkeys(dataset.values("id"), "a"))
    return dataset


def test_every_file_makes_its_folder_and_is_named(run, judged, tmp_path):
    name = judged.name
    for command, options in (
        (("check", name, "right"), ("html", "json", "junit", "markdown")),
        (("evaluate", name, "right"), ("html", "json")),
        (("history", name), ("trend", "heatmap")),
        (("coverage", name), ("plot", "overlap")),
    ):
        files = {f"--{o}": tmp_path / command[0] / "new" / o for o in options}
        done = run(*command, *(part for pair in files.items() for part in pair))
        assert done.returncode == 0, done.stderr
        for file in files.values():
            assert file.stat().st_size
            assert f"Saved: {file}\n" in done.stdout
    for kind in ("trend", "heatmap"):
        page = (tmp_path / "history" / "new" / kind).read_text()
        assert page.count("<title>accuracy ") == 1
    for verb in ("suite", "ledger"):
        if verb == "ledger":
            judged.set_values("split", [None] * len(judged))
            es.split(judged)
        file = tmp_path / verb / "new" / "file"
        assert run(verb, "save", name, file).stdout == f"Saved: {file}\n"
        assert file.is_file()


def test_history_tells_of_a_release_only_where_there_was_one(run, dataset):
    dataset.add_samples([fo.Sample(f"/{n}.png", shade=n) for n in range(40)])
    truth = [fo.Classification(label="a") for _ in range(40)]
    dataset.set_values("ground_truth", truth)
    es.compose(dataset, es.Population("bright", "shade > 9", holdout=0.5))
    es.split(dataset)
    es.release(dataset)
    for model in ("old", "new"):
        es.upload_predictions(dataset, model, ["a"] * 40)
    es.evaluate(dataset, "new")
    es.evaluate(dataset, "new", baseline="old", release=1)
    first, second = run("history", dataset.name).stdout.splitlines()
    assert " new on test: " in first
    assert " new against old on test of release 1: " in second


def test_a_place_that_cannot_be_written_is_told_in_a_sentence(run, judged, tmp_path):
    (tmp_path / "file").touch()
    run("evaluate", judged.name, "right")
    for command, option in (
        (("history", judged.name), "--trend"),
        (("coverage", judged.name), "--plot"),
        (("check", judged.name, "right"), "--json"),
    ):
        done = run(*command, option, tmp_path / "file" / "x.html")
        assert done.returncode == 2
        assert f"'{tmp_path / 'file' / 'x.html'}' cannot be written: " in done.stderr
        assert "Errno" not in done.stderr


def test_a_check_without_verdict_leaves_nothing_of_an_earlier_one(
    run, judged, tmp_path
):
    files = {o: tmp_path / o for o in ("html", "json", "junit", "markdown")}
    options = [part for o, file in files.items() for part in (f"--{o}", file)]
    assert run("check", judged.name, "right", *options).returncode == 0
    assert all(file.is_file() for file in files.values())
    done = run("check", judged.name, "nobody", *options)
    assert done.returncode == 2
    assert not files["html"].exists()
    assert not files["json"].exists()
    (suite,) = ET.parse(files["junit"]).getroot()
    assert [suite.get(key) for key in ("tests", "failures", "errors")] == [
        "1",
        "0",
        "1",
    ]
    assert "upload its predictions first" in suite.find("*/error").text
    assert "upload its predictions first" in files["markdown"].read_text()
    files["json"].write_text("{}")
    assert run("evaluate", judged.name, "nobody", *options[:4]).returncode == 2
    assert not files["json"].exists()


def test_a_clean_split_says_what_was_looked_at(run, judged):
    done = run("leaks", judged.name, "--groups", "shade")
    said = "By paths and 'shade', no test sample of 'split' is in train or val too\n"
    assert (done.returncode, done.stdout) == (0, said)
    assert "too; name --groups" in run("leaks", judged.name).stdout
    judged.set_field("shade", 1).save()
    done = run("leaks", judged.name, "--groups", "shade")
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 20


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("split", "NAME", "--near-duplicates", 7), "--near-duplicates is 7.0; give"),
        (("split", "NAME", "--background", 7), "background is 7.0; give a number"),
        (("upload", "NAME", "right", "CSV"), "overwrite them (--overwrite), or"),
        (("evaluate", "NAME", "right", "--eval-key", "a-b"), "--eval-key is 'a-b'"),
        (("search", "NAME", "min_size > 3"), "No field 'min_size'"),
    ],
    ids=str,
)
def test_a_refusal_comes_at_once_and_names_the_shells_options(
    run, drawn, labels, encoder, tmp_path, arguments, said
):
    es.upload_predictions(drawn, "right", labels)
    es.embed(drawn, encoder)
    es.split(drawn, near_duplicates=0.97, background=0.2)
    labels.to_csv(tmp_path / "labels.csv", index=False)
    given = {"NAME": drawn.name, "CSV": tmp_path / "labels.csv"}
    done = run(*(given.get(a, a) for a in arguments))
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.startswith("Error: ")


def test_a_warning_names_the_shells_options(run, drawn, encoder, caplog):
    es.embed(drawn, encoder)
    es.split(drawn, near_duplicates=0.97)
    run("split", drawn.name, "--near-duplicates", 0)
    (warned,) = (r for r in caplog.records if r.levelname == "WARNING")
    assert Words().format(warned).endswith("give --near-duplicates 0.97 again")


def test_only_a_sample_that_another_stands_for_is_sent_to_it(run, judged):
    judged.set_values("split", [None] * 40)
    judged.set_values("shade", [n // 2 for n in range(40)])
    es.split(judged, groups="shade")
    told = [run("split", judged.name, "--explain", f"/0{n}.png").stdout for n in (0, 1)]
    assert sum("group" in said for said in told) == 1
    assert sum("its group is that of 0" in said for said in told) == 1


def test_long_names_are_shown_whole(run, judged):
    name = "a_name_without_a_blank_" * 5
    es.compose(judged, es.Population(name, "shade > 3"))
    shown = run("populations", judged.name).stdout
    assert "…" not in shown
    column = "".join(
        line.split()[0] for line in shown.splitlines()[1:] if line[1] != " "
    )
    assert name in column


def test_the_version_is_told(run):
    assert run("--version").stdout == f"evalsets {es.__version__}\n"


def test_long_work_in_a_pipe_says_that_it_begins_and_how_it_ended(run, drawn, encoder):
    done = run("embed", drawn.name, encoder)
    assert done.stderr == f"Embedding dataset '{drawn.name}' …\n"
    assert done.stdout.startswith(f"{len(drawn)} done")


def test_long_work_in_a_pipe_says_how_far_it_is(run, drawn, monkeypatch, tmp_path):
    monkeypatch.setattr(data, "_EVERY_S", 0)
    (tmp_path / "tags.yml").write_text("taggers: [{statistics: {}}]")
    done = run("tag", drawn.name, tmp_path / "tags.yml")
    assert "16 of 117 …" in done.stderr
    assert done.stdout.startswith("117 done")


def test_work_that_is_interrupted_says_what_becomes_of_it(
    run, drawn, encoder, monkeypatch
):
    def interrupt(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(es, "embed", interrupt)
    done = run("embed", drawn.name, encoder)
    assert done.returncode == 130
    assert "finished batches are kept, and the same command goes on" in done.stderr


def test_an_interrupted_search_promises_nothing(run, drawn, monkeypatch):
    def interrupt(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(es, "search", interrupt)
    done = run("search", drawn.name, "num_people > 0")
    assert done.returncode == 130
    assert "Interrupted" not in done.stderr


def test_a_search_says_that_there_is_more(run, drawn):
    few = run("search", drawn.name, "time = 'night'")
    assert (few.stderr.strip(), few.stdout.count("\n")) == ("19 samples", 19)
    more = run("search", drawn.name, "time = 'day'")
    assert more.stderr.strip() == "60 samples; 20 are shown, --limit 60 shows all"


def test_a_search_in_vain_says_which_text_no_sample_has(run, drawn):
    done = run("search", drawn.name, "time = 'nigth' AND num_people > 0")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines() == [
        "No sample has \"time\" = 'nigth'; did you mean 'night'?",
        "0 samples",
    ]


@pytest.mark.parametrize(
    ("verb", "said"),
    [
        ("history", "No reports yet; evaluate a model"),
        ("releases", "No releases yet; release the dataset as it is"),
        ("populations", "No populations yet; compose one"),
        ("refresh", "No population is stale"),
    ],
)
def test_a_list_without_entries_is_said_to_be_empty(run, dataset, verb, said):
    done = run(verb, dataset.name)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.strip().splitlines()[-1] == said


def test_nothing_to_label_is_said(run, judged):
    judged.add_sample(fo.Sample("/new.png", shade=1, split="train"))
    done = run("label-next", judged.name, "right")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["id,filepath,reason"]
    assert "would settle an open requirement" in done.stderr


def test_tags_that_cannot_be_read_are_refused_before_anything(
    run, world, dataset, tmp_path
):
    for file in ("gone.yml", "bad.yml"):
        (tmp_path / "bad.yml").write_text("taggers: [{statistic: {}}]")
        done = run("sync", world, dataset.name, "--tags", tmp_path / file)
        assert done.returncode == 2
        dataset.reload()
        assert len(dataset) == 0
