"""Ctrl-C: the first waits, the second does not."""

import signal
import threading

import pytest

from isofield.runtime.interruption import Interrupted, interruption


def test_the_first_interrupt_only_sets_the_mark():
    with interruption() as interrupted:
        assert not interrupted()
        signal.raise_signal(signal.SIGINT)
        assert interrupted()


def test_the_second_interrupt_stops_at_once():
    with interruption():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_after_the_block_interrupts_act_as_before_it():
    before = signal.getsignal(signal.SIGINT)
    with interruption():
        pass
    with pytest.raises(ValueError, match="inner"), interruption():
        raise ValueError("inner")
    assert signal.getsignal(signal.SIGINT) is before


def test_outside_the_main_thread_signals_are_left_alone():
    answers = []

    def work() -> None:
        with interruption() as interrupted:
            answers.append(interrupted())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert answers == [False]


def test_an_interrupted_run_leaves_with_130():
    assert Interrupted("stopped").exit_code == 130
