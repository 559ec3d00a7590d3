"""The arrows between the parts of the project, and what the library never does, read from the source with `ast`."""

import ast
import importlib.metadata
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LIBRARY = sorted((ROOT / "bigan").rglob("*.py"))
PAGES = sorted((ROOT / "pages").glob("*.py"))
APP = [path for path in (ROOT / "app.py",) if path.exists()]
SOURCES = [*LIBRARY, *PAGES, *APP]

MAX_LINES = 320
SLOW_IMPORTS = ("umap", "numba", "pynndescent", "lightning", "lightning_fabric", "pytorch_lightning")

ABOVE_OBJECTIVES = ("bigan.explore", "bigan.evaluation", "bigan.ui", "bigan.training", "bigan.run")
# A file whose path starts with the first may not import anything that starts with one of the second.
FORBIDDEN = [
    ("bigan/models", ("bigan.objectives", *ABOVE_OBJECTIVES)),
    ("bigan/objectives", ABOVE_OBJECTIVES),
    ("bigan/explore", ("bigan.ui", "bigan.training", "bigan.run")),
    ("bigan/evaluation", ("bigan.ui", "bigan.explore", "bigan.training", "bigan.run")),
    ("bigan/config.py", ("bigan", "torch", "numpy")),
    ("bigan/ui", (*SLOW_IMPORTS, "bigan.training", "bigan.run")),
    ("pages", ("bigan.training", "bigan.run")),
    ("app.py", ("bigan.training", "bigan.run")),
]

# Global random state, code from data, and pickles
FORBIDDEN_CALLS = {
    *("torch.manual_seed", "torch.cuda.manual_seed", "torch.cuda.manual_seed_all", "torch.seed"),
    *("np.random.seed", "numpy.random.seed", "random.seed", "seed_everything"),
    *("torch.load", "torch.save", "pickle.load", "pickle.loads", "pickle.dump", "pickle.dumps", "joblib.load"),
    *("eval", "exec", "compile"),
}
FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal"}


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def label(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and dotted(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def statements(node: ast.AST, module_level_only: bool) -> Iterator[ast.AST]:
    """All nodes below, or only those that run when the module is imported. Imports for type checkers never run."""
    for child in ast.iter_child_nodes(node):
        if is_type_checking(child):
            continue
        if module_level_only and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        yield child
        yield from statements(child, module_level_only)


def imports(module: ast.AST, module_level_only: bool = False) -> set[str]:
    """Dotted names of the modules imported; `from a import b` counts as a and a.b."""
    names: set[str] = set()
    for node in statements(module, module_level_only):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            assert node.module is not None
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def dotted(node: ast.AST) -> str:
    """`a.b.c` of a name or an attribute, and "" of anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (parent := dotted(node.value)):
        return f"{parent}.{node.attr}"
    return ""


def within(name: str, parents: Iterable[str]) -> bool:
    return any(name == parent or name.startswith(f"{parent}.") for parent in parents)


def violations(module: ast.Module) -> list[str]:
    """What no file of the library may do: see FORBIDDEN_CALLS, and HTML assembled from values."""
    found = [name for name in imports(module) if within(name, FORBIDDEN_MODULES)]
    for node in ast.walk(module):
        if not isinstance(node, ast.Call):
            continue
        if (name := dotted(node.func)) in FORBIDDEN_CALLS:
            found.append(name)
        allows_html = any(keyword.arg == "unsafe_allow_html" for keyword in node.keywords)
        if allows_html and any(isinstance(part, ast.JoinedStr | ast.BinOp | ast.Call) for part in node.args):
            found.append("unsafe_allow_html")
        if any(k.arg == "allow_pickle" and getattr(k.value, "value", True) is not False for k in node.keywords):
            found.append("allow_pickle")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=label)
def test_arrows_point_downwards(path: Path) -> None:
    seen = imports(tree(path))
    for where, forbidden in FORBIDDEN:
        if label(path) == where or label(path).startswith(f"{where}/"):
            assert not sorted(name for name in seen if within(name, forbidden))


@pytest.mark.parametrize("path", LIBRARY, ids=label)
def test_only_the_ui_and_a_client_that_speaks_to_it_import_streamlit_and_plotly(path: Path) -> None:
    shown = {name for name in imports(tree(path)) if within(name, ("streamlit", "plotly"))}
    assert not shown or label(path).startswith(("bigan/ui/", "bigan/benchmark/clients.py"))


@pytest.mark.parametrize("path", [path for path in LIBRARY if not label(path).startswith("bigan/ui/")], ids=label)
def test_nothing_below_the_ui_knows_of_it(path: Path) -> None:
    assert not {name for name in imports(tree(path)) if within(name, ("bigan.ui", "pages", "app"))}


@pytest.mark.parametrize("path", SOURCES, ids=label)
def test_only_the_command_line_imports_its_own_parts(path: Path) -> None:
    parts = {name for name in imports(tree(path)) if within(name, ("bigan.cli", "bigan.__main__"))}
    assert not parts or label(path) == "bigan/__main__.py" or label(path).startswith("bigan/cli/")


@pytest.mark.parametrize("path", [*PAGES, *APP], ids=label)
def test_a_page_imports_only_the_library_streamlit_and_the_standard_library(path: Path) -> None:
    roots = {name.partition(".")[0] for name in imports(tree(path))}
    assert roots <= {"bigan", "streamlit"} | sys.stdlib_module_names


@pytest.mark.parametrize("path", SOURCES, ids=label)
def test_slow_packages_are_imported_only_inside_the_functions_that_need_them(path: Path) -> None:
    assert not {name for name in imports(tree(path), module_level_only=True) if within(name, SLOW_IMPORTS)}


@pytest.mark.parametrize("path", SOURCES, ids=label)
def test_no_global_seed_no_pickle_no_code_from_data_no_html_from_values(path: Path) -> None:
    assert not violations(tree(path))


@pytest.mark.parametrize("path", SOURCES, ids=label)
def test_a_file_stays_short_enough_to_be_one_noun(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES


@pytest.mark.parametrize("path", SOURCES, ids=label)
def test_a_module_says_what_it_is_in_its_first_line(path: Path) -> None:
    module = tree(path)
    assert not module.body or ast.get_docstring(module)


def test_what_is_imported_directly_and_nothing_else_is_pinned_to_what_is_installed() -> None:
    pinned = {}
    for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").split():
        package, separator, version = line.partition("==")
        assert separator and version, f"{line} is not an exact pin"
        pinned[package.lower().replace("_", "-")] = version
    roots = {name.partition(".")[0] for path in SOURCES for name in imports(tree(path))}
    foreign = roots - sys.stdlib_module_names - {"bigan"}
    homes = importlib.metadata.packages_distributions()
    used = {homes[root][0].lower().replace("_", "-") for root in foreign}
    assert used == set(pinned), "imported and not pinned, or pinned and not imported"
    assert {package: importlib.metadata.version(package) for package in pinned} == pinned, "installed and pinned differ"


def loaded_after(statement: str) -> set[str]:
    """Names of the modules that a fresh interpreter holds after a statement."""
    script = f"import sys\ntry:\n    {statement}\nexcept SystemExit:\n    pass\nprint('LOADED', *sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(run.stdout.rpartition("LOADED")[2].split())


def test_importing_bigan_does_not_import_torch() -> None:
    loaded = loaded_after("import bigan; bigan.__version__")
    assert "bigan" in loaded
    assert not loaded & {"torch", "numpy", "streamlit", *SLOW_IMPORTS}


def test_help_does_not_import_torch() -> None:
    loaded = loaded_after(
        "import runpy; sys.argv = ['bigan', '--help']; runpy.run_module('bigan', run_name='__main__')"
    )
    assert "bigan" in loaded
    assert not loaded & {"torch", "streamlit", *SLOW_IMPORTS}


def test_an_unknown_name_of_the_library_is_an_attribute_error() -> None:
    import bigan

    with pytest.raises(AttributeError, match="module 'bigan' has no attribute 'gan'"):
        _ = bigan.gan


def test_every_public_name_of_the_library_is_there() -> None:
    import bigan

    for name in bigan.__all__:
        assert getattr(bigan, name).__name__ == name


# The reader itself


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import a.b", {"a.b"}),
        ("from a import b", {"a", "a.b"}),
        ("if True:\n    import a", {"a"}),
        ("class C:\n    import a", {"a"}),
        ("def f():\n    import a", set()),
        ("async def f():\n    import a", set()),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a", {"typing", "typing.TYPE_CHECKING"}),
    ],
)
def test_the_reader_finds_what_runs_at_import(source: str, names: set[str]) -> None:
    assert imports(ast.parse(source), module_level_only=True) == names


def test_the_reader_finds_imports_inside_functions() -> None:
    assert imports(ast.parse("def f():\n    import a")) == {"a"}


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "torch.manual_seed(0)",
        "np.random.seed(0)",
        "def f():\n    return torch.load('x')",
        "eval('1')",
        "np.load('x', allow_pickle=True)",
        "st.markdown(f'<b>{name}</b>', unsafe_allow_html=True)",
        "st.markdown('<b>' + name, unsafe_allow_html=True)",
        "st.markdown('<b>{}</b>'.format(name), unsafe_allow_html=True)",
    ],
)
def test_the_reader_finds_a_violation(source: str) -> None:
    assert violations(ast.parse(source))


@pytest.mark.parametrize(
    "source",
    [
        "torch.Generator().manual_seed(0)",
        "np.random.default_rng(0)",
        "model.eval()",
        "np.load('x', allow_pickle=False)",
        "re.compile('x')",
        "st.markdown('<br>', unsafe_allow_html=True)",
    ],
)
def test_the_reader_lets_honest_code_pass(source: str) -> None:
    assert not violations(ast.parse(source))
