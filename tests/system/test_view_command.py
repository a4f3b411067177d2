"""`isofield view` as a user runs it: the address, a port that is taken, Ctrl-C."""

import json
import select
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest


def test_view_serves_at_the_address_that_it_prints_until_ctrl_c(spot):
    pytest.importorskip("viser")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        words = ["view", str(spot), "--port", str(port), "--threads", "1"]
        process = subprocess.Popen(
            [sys.executable, "-m", "isofield", *words, "--json"], stdout=subprocess.PIPE, text=True
        )
        try:
            assert select.select([process.stdout], [], [], 120)[0], "it says no address"
            lines = [process.stdout.readline() for _ in range(3)]
            url = json.loads("".join(lines))["url"]
            assert url != f"http://127.0.0.1:{port}"
            with urllib.request.urlopen(url) as answer:
                assert answer.status == 200
            process.send_signal(signal.SIGINT)
            rest, _ = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 0
    assert rest == ""


def test_what_cannot_be_viewed_is_a_clear_error(command, tmp_path):
    pytest.importorskip("viser")
    assert command("view", tmp_path / "none.ply").assert_clear_error().code == 2
    assert command("view", tmp_path).assert_clear_error().code == 2


def test_without_viser_the_command_names_the_extra(command, spot, monkeypatch):
    monkeypatch.setitem(sys.modules, "viser", None)  # as Python marks what is not there
    answer = command("view", spot).assert_clear_error()
    assert answer.code == 2
    assert "pip install 'isofield[viewer]'" in answer.err
