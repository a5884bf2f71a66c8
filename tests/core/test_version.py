import re
from pathlib import Path

from core.version import code_version, digest_of, installed, lock_of, lock_version


def test_code_and_lock_have_one_version_each() -> None:
    assert code_version() == code_version()
    assert re.fullmatch("[0-9a-f]{16}", code_version())
    assert re.fullmatch("[0-9a-f]{16}", lock_version())
    assert code_version() != lock_version()


def test_the_version_changes_with_a_word_and_with_a_name(tmp_path: Path) -> None:
    one, other = tmp_path / "one.py", tmp_path / "other.py"
    one.write_text("a = 1")
    first = digest_of(tmp_path, [one])
    assert digest_of(tmp_path, [one]) == first
    one.write_text("a = 2")
    assert digest_of(tmp_path, [one]) != first
    other.write_text("a = 1")
    assert digest_of(tmp_path, [other]) != first


def test_words_that_move_between_files_change_the_version(tmp_path: Path) -> None:
    files = [tmp_path / "a.py", tmp_path / "b.py"]
    for path, text in zip(files, ("xy", "z"), strict=True):
        path.write_text(text)
    first = digest_of(tmp_path, files)
    for path, text in zip(files, ("x", "yz"), strict=True):
        path.write_text(text)
    assert digest_of(tmp_path, files) != first


def test_the_order_of_the_files_does_not_matter(tmp_path: Path) -> None:
    files = [tmp_path / "a.py", tmp_path / "b.py"]
    for path in files:
        path.write_text(path.name)
    assert digest_of(tmp_path, files) == digest_of(tmp_path, files[::-1])


def test_the_lock_is_what_its_file_says(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("numpy==2.4.0")
    first = lock_of(lock)
    lock.write_text("numpy==2.4.1")
    assert lock_of(lock) != first


def test_without_a_lock_what_is_installed_counts(tmp_path: Path) -> None:
    assert lock_of(tmp_path / "absent") == lock_of(tmp_path / "absent too")
    assert any(line.startswith("numpy==2.") for line in installed())
    assert len(installed()) == len(set(installed()))
