import ast
import inspect
from pathlib import Path

import pytest

import evalsets


@pytest.mark.parametrize("name", evalsets.__all__)
def test_every_public_name_resolves_and_is_documented(name):
    value = getattr(evalsets, name)
    assert not inspect.ismodule(value)
    assert name == "__version__" or inspect.getdoc(value)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'composse'"):
        _ = evalsets.composse


def test_every_error_is_an_evalsets_error():
    from evalsets import errors

    raised = [
        value
        for value in vars(errors).values()
        if inspect.isclass(value) and issubclass(value, Exception)
    ]
    assert len(raised) > 8
    assert all(issubclass(error, evalsets.EvalsetsError) for error in raised)


def test_type_checkers_see_the_same_names():
    tree = ast.parse(Path(evalsets.__file__).read_text(encoding="utf-8"))
    seen = {
        alias.asname
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module != "__future__"
        for alias in node.names
        if alias.asname
    }
    assert seen == set(evalsets.__all__) - {"__version__"}
