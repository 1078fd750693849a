"""The code of a page runs as a reader runs it, and a page that says something else than its code is told."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

import pytest
from tests.environments import without_coverage
from website.code import filled, run, wrong_outputs
from website.notebook import notebook
from website.page import Page

PAGE = """\
# A page

```toml title="a.toml"
n = 3
```

```python
from pathlib import Path

n = int(Path("a.toml").read_text()[4:])
print("n is", n)
```

```text
n is 3
```

1. A list

   ```console
   $ make nothing
   $ printf '%s\\n' "$(cat a.toml)" \\
       again
   ```

   ```text
   n = 3
   ...
   ```

```python
Path("picture.png").write_bytes(bytes(n))
```

![What is seen](picture.png)
"""


def test_python_has_one_namespace_commands_their_place_and_files_are_there(tmp_path: Path) -> None:
    outputs = run(PAGE, tmp_path, without_coverage())
    assert outputs == ["", "n is 3\n", "", "n = 3\nagain\n", "", ""]
    assert wrong_outputs(PAGE, outputs) == []


def test_what_is_shown_and_not_printed_is_told_with_its_line(tmp_path: Path) -> None:
    page = PAGE.replace("n is 3", "n is 4")
    (wrong,) = wrong_outputs(page, run(page, tmp_path, without_coverage()))
    assert wrong.startswith("line 14 shows\nn is 4\n")


def test_an_empty_block_is_filled_with_what_the_code_before_it_prints(tmp_path: Path) -> None:
    page = PAGE.replace("n is 3\n", "")
    outputs = run(page, tmp_path, without_coverage())
    assert wrong_outputs(page, outputs) == []
    assert filled(page, outputs) == PAGE


@pytest.mark.parametrize("wrong", ['raise ValueError("no")', "undefined"])
def test_code_that_fails_is_told_with_the_line_of_the_page(tmp_path: Path, wrong: str) -> None:
    before, _, after = PAGE.partition('Path("picture.png").write_bytes(bytes(n))')
    number = len(before.splitlines()) + 1
    page = before + wrong + after
    with pytest.raises(RuntimeError, match=f'page.py", line {number}, in'):
        run(page, tmp_path, without_coverage())


def test_a_command_that_fails_is_told(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="returned non-zero exit status 3"):
        run("```console\n$ (exit 3)\n$ true\n```\n", tmp_path, without_coverage())


@pytest.mark.long
def test_a_picture_is_that_which_the_code_makes(tmp_path: Path) -> None:
    Page(PurePosixPath("lessons/page.md"), PAGE).write(tmp_path, frozenset[PurePosixPath]().__contains__)
    assert (tmp_path / "lessons" / "page" / "picture.png").read_bytes() == bytes(3)
    assert "![What is seen](page/picture.png)" in (tmp_path / "lessons" / "page.md").read_text()


def test_a_picture_that_no_code_makes_is_refused(tmp_path: Path) -> None:
    page = Page(PurePosixPath("page.md"), PAGE.replace("(picture.png)", "(other.png)"))
    with pytest.raises(RuntimeError, match=r"shows other\.png, which its code does not make"):
        page.write(tmp_path, frozenset[PurePosixPath]().__contains__)


def test_the_notebook_has_the_code_and_neither_its_outputs_nor_its_pictures() -> None:
    cells = json.loads(notebook(PAGE))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert code[0] == "%%writefile a.toml\nn = 3"
    assert code[2].startswith("!printf")
    assert code[3] == 'Path("picture.png").write_bytes(bytes(n))'
    told = "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    assert told == "# A page1. A list"
