"""Bringing Pyodide and its wheels: what is said where that fails, and that nothing else is taken for them."""

import sys
import tarfile

import pytest

from tcpemu.playground import brought_packages
from tcpemu.playground.brought_packages import pyodide_files, store, wheels
from tcpemu.playground.playground_error import PlaygroundError
from tcpemu.playground.write_playground import write_playground


@pytest.fixture(autouse=True)
def empty_store(tmp_path, monkeypatch):
    monkeypatch.setenv("TCPEMU_PLAYGROUND", str(tmp_path / "store"))


def program(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def refused(work, *words):
    with pytest.raises(PlaygroundError) as caught:
        work()
    for each in words:
        assert each in str(caught.value)


def test_without_npm_it_says_what_to_do(monkeypatch):
    monkeypatch.setenv("PATH", "")
    refused(pyodide_files, "npm is not there", "--pyodide DIR")


def test_without_a_network_it_says_what_npm_and_pip_say(tmp_path, monkeypatch):
    program(tmp_path / "npm", "echo 'npm error code ENOTFOUND' >&2; exit 1")
    monkeypatch.setenv("PATH", str(tmp_path))
    refused(pyodide_files, "npm cannot bring pyodide", "is there a network?", "ENOTFOUND")
    monkeypatch.setattr(
        sys, "executable", str(program(tmp_path / "python", "echo 'No matching distribution'; exit 1"))
    )
    refused(wheels, "pip cannot bring annotated-types", "No matching distribution")


def test_another_file_than_was_asked_for_is_not_kept(tmp_path, monkeypatch):
    program(tmp_path / "npm", f"echo x > pyodide-{brought_packages.PYODIDE}.tgz")
    monkeypatch.setenv("PATH", str(tmp_path))
    refused(pyodide_files, "is not this file")
    assert list(store().iterdir()) == []


def test_what_is_given_is_looked_at(tmp_path):
    archive = tmp_path / "x.tgz"
    with tarfile.open(archive, "w:gz"):
        pass
    refused(lambda: pyodide_files(archive), "is not the archive of Pyodide")
    refused(lambda: pyodide_files(tmp_path), "there is no pyodide.mjs")
    for name in brought_packages.PYODIDE_FILES:
        (tmp_path / name).write_text('"313.0.0"')
    refused(lambda: pyodide_files(tmp_path), "this is not Pyodide")
    (tmp_path / "pyodide.mjs").write_text(f'version="{brought_packages.PYODIDE}"')
    assert set(pyodide_files(tmp_path)) == set(brought_packages.PYODIDE_FILES)


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("x")
    refused(lambda: write_playground(tmp_path / "mine"), "has other files in it")
