"""A report says the same in every form, and no name can break one."""

import dataclasses
import html
import re
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from evalsets.errors import ArgumentError, UnknownNameError
from evalsets.metrics import FAIL, INCONCLUSIVE, PASS, Row
from evalsets.reports import Details, Report
from evalsets.reports.texts import refusal
from evalsets.reports.trend import Trend

EVIL = '<script>alert("1")</script> | *x* [red] `y`\x07'
ROWS = (
    Row("(all)", "accuracy", 900, 0.9, 0.88, 0.92, baseline=0.91, delta=-0.01),
    Row("night", "accuracy", 120, 0.61, 0.52, 0.69, "accuracy >= 0.9", FAIL),
    Row("fog", "accuracy", 40, 0.95, 0.83, 0.99, "accuracy >= 0.9", INCONCLUSIVE, 140),
    Row(
        *(
            "sun",
            "accuracy",
            300,
            0.97,
            0.94,
            0.98,
            "accuracy drop <= 0.01",
            PASS,
            None,
        ),
        *(0.96, 0.01, -0.005, 0.02, 0.003),
    ),
    Row("sun", "f1", 300, 0.96, 0.93, 0.98),
    Row("gone", "accuracy", 0, requirement="accuracy >= 0.9", verdict=INCONCLUSIVE),
)
PROVENANCE = {
    "model": "net",
    "baseline": "old",
    "dataset": "road",
    "split": "test",
    "seed": 3,
    "stale": ["gone"],
    "unpredicted": 2,
    "created": "2025-01-02T03:04:05+00:00",
}
REPORT = Report(ROWS, PROVENANCE)


DETAILS = Details(
    {"(all)": [("cat", "cat", 8), ("cat", "dog", 2), ("dog", "", 1)]},
    {"(all)": [(9, 0.55, 0.4), (1, 0.95, 1.0)]},
    {"(all)": ["a", "b"], "night": ["b"]},
)


def renamed(name):
    rows = [dataclasses.replace(r, population=name) for r in ROWS[1:4]]
    details = Details(
        {name: [(name, name, 3), (name, "", 1)]}, {name: [(4, 0.5, 0.75)]}, {}
    )
    told = {"model": name, "baseline": name}
    return Report(rows, told, {name: [(name, name)]}, details)


def trend_of(name):
    told = {"created": "", "stale": name, "n": 9, "low": 0.1, "high": 0.9}
    rows = [
        {**told, "report": at, "model": f"{name}{at % 2}", "release": release}
        | {"population": f"{name}{p}", "value": at / 10, "verdict": verdict}
        for at, release in ((1, None), (2, 3), (3, 3))
        for p, verdict in (("a", PASS), ("a", FAIL), ("b", ""))
    ]
    return Trend.of(f"recall:{name}", rows)


@pytest.mark.parametrize(
    ("rows", "verdict", "code"),
    [
        (ROWS, FAIL, 1),
        (ROWS[2:], INCONCLUSIVE, 3),
        (ROWS[3:5], PASS, 0),
        (ROWS[:1], INCONCLUSIVE, 3),
    ],
)
def test_verdict_and_exit_code_agree(rows, verdict, code):
    report = Report(rows)
    assert (report.verdict, report.exit_code) == (verdict, code)


def test_a_report_needs_rows_and_stays_as_it_is():
    with pytest.raises(ArgumentError):
        Report([])
    with pytest.raises(dataclasses.FrozenInstanceError):
        REPORT.rows = ()


def test_the_frame_has_fixed_columns_and_types():
    frame = REPORT.frame
    assert list(frame.columns) == [f.name for f in dataclasses.fields(Row)]
    assert len(frame) == len(ROWS)
    assert frame["value"].dtype == float
    assert np.isnan(frame["value"].iloc[-1])
    assert frame["needed"].tolist()[2] == 140
    assert pd.isna(frame["needed"].iloc[0])


def test_rows_read_as_sentences():
    said = [REPORT.explain(row) for row in ROWS]
    assert said[1] == (
        "night: FAIL: accuracy 0.610 [0.520, 0.690] on 120 samples is below 0.9"
    )
    assert "INCONCLUSIVE" in said[2]
    assert said[2].endswith("label 140 more to settle accuracy >= 0.9")
    assert "baseline 0.960: difference +0.010 [-0.005, 0.020]" in said[3]
    assert said[3].endswith("is within the allowed drop of 0.01")
    assert said[5].startswith("gone: INCONCLUSIVE: no sample was evaluated; its member")


def test_the_summary_starts_with_the_verdict_and_hides_nothing():
    summary = REPORT.summary
    assert summary[0] == (
        "net: FAIL: misses what is required on 1 of 4 populations: night."
    )
    assert any("2 samples had no prediction" in said for said in summary)
    assert any("against old" in said for said in summary)


def test_the_headline_says_why_each_population_is_open():
    drop = "accuracy drop <= 0.01"
    rows = [
        *ROWS[2:],
        Row("rain", "accuracy", 50, 0.9, 0.8, 0.95, drop, INCONCLUSIVE),
        Row("ice", "mae", 50, 0.9, 0.8, 0.95, "mae <= 2", INCONCLUSIVE),
        Row("dusk", "accuracy", 50, 0.9, 0.8, 0.95, "accuracy >= 0.9", INCONCLUSIVE),
    ]
    why = {"model": "net", "stale": ["gone"], "incomplete": {"ice": 3}}
    assert Report(rows, why).headline == (
        "net: INCONCLUSIVE: too few samples on 1 of 6 populations: fog; membership out "
        "of date on 1 of 6 populations: gone; no baseline on 1 of 6 populations: rain; "
        "missing predictions on 1 of 6 populations: ice; too near the bound to settle "
        "on 1 of 6 populations: dusk"
    )


def test_a_failing_headline_says_where_there_is_no_baseline():
    drop = "accuracy drop <= 0.01"
    rain = Row("rain", "accuracy", 50, 0.9, 0.8, 0.95, drop, INCONCLUSIVE)
    assert Report([rain, *ROWS], {"model": "net"}).headline == (
        "net: FAIL: misses what is required on 1 of 5 populations: night; no baseline "
        "on 1 of 5 populations: rain"
    )


def test_a_baseline_without_such_a_figure_is_not_told_as_none():
    drop = "accuracy drop <= 0.01"
    rain = Row("rain", "accuracy", 50, 0.9, 0.8, 0.95, drop, INCONCLUSIVE)
    report = Report([rain], {"model": "net", "baseline": "old"})
    assert report.headline == (
        "net: INCONCLUSIVE: no such figure of the baseline on 1 of 1 population: rain"
    )
    assert report.explain(rain) == (
        "rain: INCONCLUSIVE: accuracy 0.900 [0.800, 0.950] on 50 samples; the baseline "
        "has no such figure of its samples to judge allowed drop 0.01"
    )


def test_json_brings_back_an_equal_report():
    samples = {"night": [("/a.jpg", "car taken for dog")]}
    report = Report(ROWS, PROVENANCE, samples, DETAILS)
    assert Report.from_json(report.to_json()) == report


def test_text_shows_requirements_and_the_whole_data():
    text = str(REPORT)
    assert text.splitlines()[0] == REPORT.headline
    assert "(all)" in text
    assert "f1" not in text
    assert re.search(r"fog .* INCONCLUSIVE +140", text)
    assert "\x1b[" not in text
    assert "\x1b[" in REPORT.to_text(color=True)


def test_text_shows_populations_of_which_nothing_is_required_without_a_verdict():
    free = (
        Row("rain", "accuracy", 50, 0.82, 0.69, 0.9),
        Row("rain", "f1", 50, 0.81, 0.68, 0.9),
    )
    lines = str(Report((*ROWS[:2], *free, *ROWS[2:]))).splitlines()
    (line,) = [line for line in lines if line.startswith("rain")]
    assert line.split() == ["rain", "accuracy", "50", "0.820", "[0.690,", "0.900]"]
    order = [line.split()[0] for line in lines[2:]]
    assert order == ["(all)", "night", "rain", "fog", "sun", "gone"]


LEFT_OUT = {
    "unpredicted": 2,
    "unlabelled": 1,
    "trained_on": 1200,
    "strange_labels": ["dog", "wolf"],
}
NOTES = [
    "2 samples had no prediction and count as predicting nothing.",
    "1 sample had no true label and was left out.",
    "1,200 samples were left out because the model was trained on them.",
    "2 predicted classes are nowhere in the truth: 'dog' and 'wolf'.",
]


@pytest.mark.parametrize("note", NOTES)
def test_every_form_says_what_was_not_counted(note, tmp_path):
    report = Report(ROWS, {"model": "net", **LEFT_OUT})
    assert note in report.summary
    assert note in str(report).splitlines()
    assert note in report.to_markdown().replace("\\", "")
    page = html.unescape(report.to_html(tmp_path / "r.html").read_text())
    assert f"<li>{note}</li>" in page
    assert note not in str(Report(ROWS, {"model": "net"}))


def test_markdown_has_a_row_for_each_requirement():
    text = REPORT.to_markdown()
    required, everything = text.split("<details>")
    assert required.count("\n| ") == 2 + 4
    assert everything.count("\n| ") == 2 + len(ROWS)
    assert "seed 3" in text


def test_junit_counts_failures_and_open_requirements(tmp_path):
    path = REPORT.to_junit(tmp_path / "deep" / "report.xml")
    (suite,) = ET.parse(path).getroot()
    assert suite.attrib["tests"] == "4"
    assert suite.attrib["failures"] == "1"
    assert suite.attrib["errors"] == "2"
    assert "0.610" in suite.find("*/failure").attrib["message"]
    bare = Report(ROWS[:1]).to_junit(tmp_path / "bare.xml")
    assert ET.parse(bare).getroot()[0].attrib["errors"] == "1"


def test_the_plot_shows_each_population_once_with_its_bounds():
    figure = REPORT.plot()
    names = {trace.name for trace in figure.data}
    assert {"FAIL", "INCONCLUSIVE", "PASS", "required", "baseline old"} <= names
    dots = [t for t in figure.data if t.error_x.array is not None]
    assert sorted(y for t in dots for y in t.y) == ["(all)", "fog", "night", "sun"]
    bounds = next(t for t in figure.data if t.name == "required")
    assert set(bounds.x) == {0.9}
    drops = next(t for t in figure.data if t.name == "allowed drop")
    assert drops.x == pytest.approx((0.95,))
    assert REPORT.plot("f1").layout.xaxis.title.text == "f1"
    with pytest.raises(UnknownNameError):
        REPORT.plot("recall")


def test_a_model_called_baseline_is_named_once():
    report = Report(ROWS, {**PROVENANCE, "baseline": "baseline"})
    assert "baseline" in {trace.name for trace in report.plot().data}


def test_an_interval_without_an_end_reaches_nowhere_in_the_plot():
    one = Row("(all)", "mae", 1, 5.0, 0.0, None)
    (dots, *_) = Report([one], PROVENANCE).plot().data
    assert dots.error_x.arrayminus == (5.0,)
    assert dots.error_x.array == (0,)


def test_confusion_shows_what_each_label_was_taken_for():
    report = Report(ROWS, PROVENANCE, details=DETAILS)
    figure = report.plot("confusion")
    (heat,) = figure.data
    assert [list(line) for line in heat.z] == [[0.8, 0.2, 0], [0, 0, 1]]
    assert heat.hovertext[0][1] == "cat, predicted dog: 2 of 10"
    assert heat.colorbar.title.text == "share of true label"
    assert heat.hovertext[1][2] == "dog, predicted (nothing): 1 of 1"
    assert figure.layout.xaxis.ticktext == ("cat", "dog", "(nothing)")
    with pytest.raises(UnknownNameError, match="confusion of population 'night'"):
        report.plot("confusion", "night")
    with pytest.raises(UnknownNameError, match="did you mean 'confusion'"):
        report.plot("confusoin")
    with pytest.raises(UnknownNameError, match="keeps none"):
        REPORT.plot("reliability")


def test_an_unknown_population_is_told_with_those_that_are_kept_and_why():
    report = Report(ROWS, PROVENANCE, details=DETAILS)
    with pytest.raises(UnknownNameError) as refused:
        report.plot("confusion", "nix")
    assert "and of populations that fail" in str(refused.value)
    with pytest.raises(UnknownNameError) as refused:
        report.worst(None, "nix")
    assert str(refused.value).endswith("known: '(all)', 'night'")


def test_of_many_labels_the_most_confused_are_drawn():
    cells = [(f"{at:03}", f"{at:03}", 9) for at in range(100)] + [("007", "042", 1)]
    figure = Report(ROWS, details=Details({"(all)": cells})).plot("confusion")
    assert len(figure.data[0].z) == 30
    assert {"007", "042"} <= set(figure.layout.yaxis.ticktext)
    assert "30 labels most confused of 100" in figure.layout.title.text


def test_reliability_shows_how_often_each_confidence_is_right():
    figure = Report(ROWS, details=DETAILS).plot("reliability")
    found = figure.data[1]
    assert (found.x, found.y) == ((0.55, 0.95), (0.4, 1.0))
    assert found.hovertext[0] == "confidence 0.550, right 0.400, n 9"


def test_a_trend_takes_the_worst_verdict_and_the_newest_report():
    trend = trend_of("p")
    assert trend.frame.query("population == 'pa'")["verdict"].tolist() == [FAIL] * 3
    assert len(trend.frame) == 6
    assert trend.plot().layout.xaxis.ticktext[1] == "2: p0, release 3"


def test_a_heatmap_has_the_colours_of_verdicts_else_those_of_the_metrics_range():
    """A FAIL and what is open never share a colour, however near their figures are."""
    trend = trend_of("p")
    (heat,) = trend.heatmap().data
    assert [list(line) for line in heat.z] == [[0, 3], [0, 3]]
    assert heat.colorbar.ticktext[0] == "FAIL"
    assert (heat.zmin, heat.zmax) == (-0.5, 3.5)
    assert heat.text[0][0] == "0.200 ✖"
    plain = dataclasses.replace(trend, frame=trend.frame.assign(verdict=""))
    for figure in (plain.heatmap(), trend.heatmap(by_value=True)):
        (heat,) = figure.data
        assert [list(line) for line in heat.z] == [[0.2, 0.2], [0.3, 0.3]]
        assert (heat.zmin, heat.zmax) == (0, 1)
    (heat,) = dataclasses.replace(plain, metric="mae").heatmap().data
    assert (heat.zmin, heat.zmax) == (None, None)


def test_the_page_needs_no_network_and_shows_thumbnails(tmp_path):
    photo = tmp_path / "photo.png"
    Image.new("RGBA", (900, 500), "navy").save(photo)
    samples = {"night": [(str(photo), "car taken for dog"), ("/none.jpg", "lost")]}
    text = REPORT.to_html(tmp_path / "report.html", samples).read_text()
    body = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert "data:image/jpeg;base64," in body
    assert "car taken for dog" in body
    assert "cannot be read" in body
    assert not re.search(r"""(src|href)=["']https?://""", body)
    assert "label 140 more" in body
    assert not list(tmp_path.glob(".*.part"))


def test_no_postscript_is_run_for_a_thumbnail(tmp_path, postscript):
    samples = {"night": [(str(postscript), "car taken for dog")]}
    text = REPORT.to_html(tmp_path / "report.html", samples).read_text()
    assert "cannot be read" in text


def test_hostile_names_stay_text_everywhere(tmp_path):
    report = renamed(EVIL)
    page = report.to_html(tmp_path / "r.html", trend=trend_of(EVIL)).read_text()
    assert page.count('class="plotly-graph-div"') == 5
    assert '<script>alert("1")' not in page
    assert "<script>alert" not in report.to_markdown()
    assert all(line.count(" | ") < 9 for line in report.to_markdown().splitlines())
    (suite,) = ET.parse(report.to_junit(tmp_path / "r.xml")).getroot()
    assert suite[0].attrib["classname"].startswith('<script>alert("1")')
    assert "[red]" in str(report)
    assert Report.from_json(report.to_json()) == report


def test_a_pull_request_pings_and_links_nobody():
    evil = "@octocat #1 GH-2 https://evil.example www.evil.example \x00\x1b[2J\u202efed"
    report = renamed(evil)
    for text in (report.to_markdown(), refusal(f"No model '{evil}'\n- {evil}")):
        assert not re.search(r"@\w|#\d|GH-\d|://\w|www\.", text.replace("&#8203", ""))
        assert "@&#8203;octocat" in text
        assert not set("\x00\x1b\u202e") & set(text)
    assert not set("\x00\x1b\u202e") & set(str(report))


@pytest.mark.app
def test_no_name_runs_in_a_browser(tmp_path):
    import shutil

    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no Chromium; run: apt-get install chromium")
    evil = '<img src=x onerror="document.title=666">'
    path = renamed(evil).to_html(tmp_path / "r.html", trend=trend_of(evil))
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        problems, asked = [], []
        page.on("pageerror", lambda problem: problems.append(problem))
        page.on("request", lambda r: asked.append(r.url))
        page.goto(path.as_uri())
        page.locator(".js-plotly-plot .ytick").first.wait_for()
        assert "FAIL" in page.title()
        assert page.locator(".badge.large").inner_text() == "FAIL"
        browser.close()
    assert problems == []
    assert [
        url for url in asked if not url.startswith(("file:", "data:", "blob:"))
    ] == []
