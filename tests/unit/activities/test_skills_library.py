"""A skill's file says who works and how; one that is wrong is refused with its place, and the others stay."""

from pathlib import Path

import pytest

from theseus.activities.library.documents import LibraryError
from theseus.activities.library.shelf import library_folders
from theseus.activities.library.skills import Skills

GOOD = "---\nname: s\ndescription: d\nrequires_tools: [file_read]\n---\n# Do it\n\nwell\n"

WRONG = {
    "no front matter": ("# Do it\n", "line 1: a skill begins with front matter"),
    "no end": ("---\nname: s\n", "the front matter has no end"),
    "no body": ("---\nname: s\n---\n\n", "says nothing below"),
    "no name": ("---\ndescription: d\n---\nbody\n", "name: Field required"),
    "a path for a name": ("---\nname: ../x\n---\nbody\n", "line 2: name"),
    "an unknown key": ("---\nname: s\ntools: [bash]\n---\nbody\n", "line 3: tools: unknown key"),
    "danger without words": ("---\nname: s\ndangerous: true\n---\nbody\n", "a dangerous skill has a description"),
    "no version": ("---\nname: s\nversion: one\n---\nbody\n", "line 3: version"),
    "a version with a zero before it": ("---\nname: good\nversion: 01.0.0\n---\nbody\n", "line 3: version: '01.0.0'"),
    "half a pre-release": ("---\nname: good\nversion: 2.0.0-a..b\n---\nbody\n", "line 3: version: '2.0.0-a..b'"),
    "no budget": ("---\nname: s\nbudget_max: 0\n---\nbody\n", "line 3: budget_max"),
    "an alias": ("---\nname: &n s\nauthor: *n\n---\nbody\n", "anchors and aliases"),
    "no YAML": ("---\nname: [\n---\nbody\n", "line 3"),
    "a long body": ("---\nname: s\n---\n" + "x" * 40_000, "at most 32000"),
    "no text": ("---\nname: \udcff\n---\nbody", "not UTF-8"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_skill_is_refused_with_file_line_and_field(case: str, tmp_path: Path) -> None:
    text, said = WRONG[case]
    (tmp_path / "bad.md").write_bytes(text.encode("utf-8", "surrogateescape"))
    (tmp_path / "good.md").write_text(GOOD.replace("name: s", "name: good"))
    skills = Skills([tmp_path])
    (problem,) = skills.contents.problems
    assert said in problem and problem.startswith(str(tmp_path / "bad.md"))
    assert skills.find("good") is not None


def test_a_skill_is_one_file_or_a_folder_with_skill_md(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("about these skills")
    (tmp_path / "one.md").write_text(GOOD)
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "SKILL.md").write_text(GOOD.replace("name: s", "name: two\nversion: 1.10.0"))
    (tmp_path / "two" / "older.md").write_text(GOOD.replace("name: s", "name: two\nversion: 1.9.0"))
    skills = Skills([tmp_path])
    assert skills.names() == ["s@1.0.0", "two@1.9.0", "two@1.10.0"] and not skills.contents.problems
    newest = skills.find("two")
    assert newest is not None and newest.head.version == "1.10.0" and newest.body == "# Do it\n\nwell"


def test_a_file_that_cannot_be_read_is_taken_for_what_it_or_its_folder_is_called(tmp_path: Path) -> None:
    (tmp_path / "one.md").write_text("no skill")
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "SKILL.md").write_text("no skill")
    skills = Skills([tmp_path])
    for name, file in (("one", "one.md"), ("two", "SKILL.md")):
        with pytest.raises(LibraryError, match=f"{file}: line 1: a skill begins with front matter"):
            skills.find(name)
    assert skills.find("SKILL") is None


def test_one_name_and_version_twice_is_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.md").write_text(GOOD)
    with pytest.raises(LibraryError, match="is there twice"):
        Skills([tmp_path]).find("s")


def test_the_shipped_skills_can_be_used_by_any_worker() -> None:
    skills = Skills(library_folders((), "skills"))
    assert not skills.contents.problems
    assert skills.names() == ["code-review@1.0.0", "debugging@1.0.0", "test-driven-dev@1.0.0"]
