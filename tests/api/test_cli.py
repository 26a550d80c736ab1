"""The command line, from its arguments to its exit code."""

import os
import shutil
import subprocess
import sys

import pytest

import evalsets as es
from evalsets.datasets.vectors import open_vectors

pytestmark = pytest.mark.db


def test_the_journey_in_a_shell_ends_with_the_gates_exit_code(
    run, drawn, labels, tmp_path
):
    name = drawn.name
    labels.to_csv(tmp_path / "right.csv", index=False)
    wrong = labels.assign(label=labels["label"].where(labels["time"] != "night", "sea"))
    wrong.to_csv(tmp_path / "blind.csv", index=False)
    compose = ("compose", name, "at night", "time = 'night'", "--holdout", 0.5)
    for arguments in (
        (*compose, "--require", "accuracy >= 0.5", "--require", "accuracy drop <= 0.5"),
        ("populations", name),
        ("membership", name),
        ("split", name),
        ("coverage", name),
        ("upload", name, "right", tmp_path / "right.csv"),
        ("upload", name, "blind", tmp_path / "blind.csv"),
        ("evaluate", name, "blind", "--html", tmp_path / "report.html"),
    ):
        done = run(*arguments)
        assert done.returncode == 0, done.stderr
        assert done.stdout
    assert "FAIL" in done.stdout
    assert (tmp_path / "report.html").stat().st_size > 1e6
    against = ("--baseline", "right", "--split", "all")
    files = ("--junit", tmp_path / "j.xml", "--markdown", tmp_path / "m.md")
    assert run("check", name, "blind", *against, *files).returncode == 1
    assert 'failures="2"' in (tmp_path / "j.xml").read_text()
    assert "FAIL" in (tmp_path / "m.md").read_text()
    assert (
        run("check", name, "right", "--baseline", "blind", *against[2:]).returncode == 0
    )
    strict = es.Requirement("accuracy", at_least=0.99)
    es.compose(drawn, es.Population("few", "num_people > 8", require=[strict]))
    against = ("--baseline", "blind", "--split", "all")
    assert run("check", name, "right", *against).returncode == 3


def test_sync_tags_and_embeds_what_it_finds(run, dataset, world, tmp_path, encoder):
    tags = tmp_path / "tags.yml"
    tags.write_text("taggers:\n  - statistics: {}\n")
    for photo in sorted(world.glob("*.jpg"))[:3]:
        shutil.copy(photo, tmp_path)
    named = ("sync", tmp_path, dataset.name, "--tags", tags)
    done = run(*named)
    assert done.returncode == 0, done.stderr
    dataset.reload()
    assert None not in dataset.values("brightness")
    assert not dataset.list_runs(method="evalsets/vectors")
    assert run(*named, "--encoder", encoder).returncode == 0
    assert len(open_vectors(dataset)) == 3


def test_search_prints_paths_to_pipe(drawn):
    """And nothing else, such as FiftyOne's words on the age of its database."""
    quiet = ("FIFTYONE_DATABASE_VALIDATION", "FIFTYONE_SHOW_PROGRESS_BARS")
    done = subprocess.run(
        [sys.executable, "-m", "evalsets", "search", drawn.name, "time = 'night'"],
        env={key: value for key, value in os.environ.items() if key not in quiet},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 0
    found = done.stdout.splitlines()
    assert 0 < len(found) <= 20
    assert set(found) <= set(drawn.values("filepath"))
    assert "samples" in done.stderr


def test_select_prints_the_paths_of_a_population(run, drawn):
    es.compose(drawn, es.Population("at night", "time = 'night'"))
    done = run("select", drawn.name, "--population", "at night")
    expected = es.search(drawn, "time = 'night'").values("filepath")
    assert sorted(done.stdout.splitlines()) == sorted(expected)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("search", "NAME", "tiem = 'night'"), "did you mean 'time'"),
        (("search", "no such dataset", "time = 'night'"), "No dataset"),
        (
            ("compose", "NAME", "x", "time = 'night'", "--require", "good"),
            "accuracy >=",
        ),
        (("evaluate", "NAME", "nobody"), "upload its predictions first"),
        (("sync", "/no/such/folder", "NAME"), "no folder"),
        (("sync", "", "NAME"), "The folder or URL is empty"),
        (("embed", "NAME", "open_clip:ViT-B-33:laion"), "did you mean 'ViT-B-32'"),
        (("frobnicate",), "No such command"),
        (("app", "no such dataset"), "No dataset"),
        (("embed", "no such dataset", "x"), "sync a folder to create it"),
        (("search", "NAME", "text('x') > 0"), "embed it first"),
        (("search", "NAME", "glare > 0.1"), "tag the dataset with 'statistics'"),
        (("search", "NAME", 'time = "night"'), "single quotes: 'night'"),
        (("select", "NAME", "--split", "test"), "split it first"),
        (
            ("evaluate", "NAME", "right", "--truth", "gt", "--split", "all"),
            "holds the true labels",
        ),
        (("upload", "NAME", "right", "LABELS"), "overwrite them"),
        (("upload", "NAME", "m", "LABELS", "--key", "x"), "name the field of the keys"),
        (("upload", "NAME", "m", "LABELS", "--classes", "x"), "leave it out"),
        (("upload", "NAME", "m", "gone.csv"), "no file 'gone.csv'"),
        (("upload", "NAME", "m", "ground_thruth"), "did you mean 'ground_truth'"),
        (("coverage", "NAME"), "compose some first"),
        (("tag", "NAME", "gone.yml"), "no file 'gone.yml'"),
        (("sync", "FOLDER", "NAME", "--labels", "gone.csv"), "no file 'gone.csv'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_mistake_exits_2_with_one_sentence_and_no_traceback(
    run, drawn, labels, world, tmp_path, arguments, said
):
    es.upload_predictions(drawn, "right", labels)
    table = tmp_path / "labels.csv"
    labels.to_csv(table, index=False)
    given = {"NAME": drawn.name, "LABELS": table, "FOLDER": world}
    done = run(*(given.get(a, a) for a in arguments))
    assert done.returncode == 2
    assert said in done.stderr
    for not_shell in ("Traceback", "Errno", "evalsets.", "=True", "truth=", "key="):
        assert not_shell not in done.stderr


def test_removing_says_what_is_gone(run, drawn):
    es.compose(drawn, es.Population("dusk", "time = 'sunset'", holdout=0.2))
    done = run("remove", drawn.name, "dusk")
    assert done.stdout == (
        "Removed population 'dusk': time = 'sunset'; hold-out 20%; required nothing\n"
    )
    assert es.populations(drawn) == {}


def test_one_sample_is_one_sample(run, drawn):
    one = f"id = '{drawn.first().id}'"
    assert run("search", drawn.name, one).stderr == "1 sample\n"
    assert run("compose", drawn.name, "one", one).stdout == (
        "Population 'one' has 1 sample\n"
    )


def test_a_report_that_cannot_be_written_does_not_read_as_a_failed_model(
    run, drawn, labels, tmp_path, monkeypatch
):
    es.upload_predictions(drawn, "right", labels)
    check = ("check", drawn.name, "right", "--split", "all")
    done = run(*check, "--markdown", tmp_path / "new" / "m.md")
    assert (done.returncode, (tmp_path / "new" / "m.md").is_file()) == (3, True)
    (tmp_path / "file").touch()
    for option in ("--markdown", "--html", "--junit"):
        done = run(*check, option, tmp_path / "file" / "report")
        assert done.returncode == 2
        assert "Error: " in done.stderr
        assert "Traceback" not in done.stderr
    monkeypatch.setenv("EVALSETS_DEBUG", "1")
    done = run(*check, "--markdown", tmp_path / "file" / "report")
    assert done.returncode == 2


def test_every_option_of_an_evaluation_has_its_place(run, drawn, labels, tmp_path):
    name = drawn.name
    es.compose(drawn, es.Population("at night", "time = 'night'"))
    labels.to_csv(tmp_path / "right.csv", index=False)
    trained = labels["filepath"][:7]
    (tmp_path / "trained.txt").write_text("\n".join([*trained, ""]))
    upload = ("upload", name, "right", tmp_path / "right.csv")
    done = run(*upload, "--trained-on", tmp_path / "trained.txt")
    assert "7 samples were trained on" in done.stdout
    assert "nor a file" in run(*upload, "--trained-on", tmp_path / "no").stderr
    es.release(drawn)
    options = ("--split", "all", "--release", 1, "--groups", "scene_id")
    options += ("--metric", "recall:*", "--metric", "f1", "--alpha", 0.1)
    kept = ("--eval-key", "seen", "--json", tmp_path / "report.json")
    assert run("evaluate", name, "right", *options, *kept).returncode == 0
    report = es.Report.from_json((tmp_path / "report.json").read_text())
    assert report == es.load_report(drawn, 1)
    assert report.provenance["trained_on"] == 7
    assert {"f1", "recall:bridge"} <= set(report.frame["metric"])
    told = [report.provenance[key] for key in ("release", "groups", "alpha")]
    assert told == [1, "scene_id", 0.1]
    assert drawn.list_evaluations() == ["seen"]
    assert run("check", name, "right", *options, *kept).returncode == 3
    plots = ("--trend", tmp_path / "t.html", "--heatmap", tmp_path / "h.html")
    done = run("history", name, "--split", "all", *plots)
    assert "2: " in done.stdout
    assert "right on all samples of release 1: INCONCLUSIVE" in done.stdout
    assert all(path.stat().st_size > 1e6 for path in plots[1::2])


def test_a_prompt_with_a_number_is_warned_of_in_one_line(run, drawn, encoder):
    es.embed(drawn, encoder)
    done = run("search", drawn.name, "text('more than five people') > 0.2")
    assert done.returncode == 0
    (line,) = [s for s in done.stderr.splitlines() if "Warning" in s]
    assert line.startswith("Warning: CLIP does not count")
    assert line.endswith("write: num_people > 5")
