"""The loop: steps, hooks, what stops it."""

import signal

import pytest
import torch

from isofield.runtime.errors import FailedError
from isofield.runtime.interruption import Interrupted
from isofield.training.checkpoints import latest_checkpoint, load_checkpoint
from isofield.training.clock import Budget, Clock
from isofield.training.hooks import Checkpoints
from isofield.training.loop import train, warm_up
from isofield.training.method import Player, cosine


class Diary:
    """A hook that keeps what it was told."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.terms: list[dict[str, float]] = []
        self.closed_at: list[int] = []

    def after_step(self, clock, terms) -> None:
        self.steps.append(clock.step)
        self.terms.append({name: float(value) for name, value in terms.items()})

    def close(self, clock, whole) -> None:
        self.closed_at.append(clock.step)


@pytest.fixture
def diary() -> Diary:
    return Diary()


def test_the_loop_finds_the_line(line):
    train(line, Clock(Budget(steps=400)), [])
    assert line.line.weight.item() == pytest.approx(line.slope, abs=1e-3)
    assert line.line.bias.item() == pytest.approx(line.offset, abs=1e-3)


def test_hooks_hear_of_every_step_and_are_closed_once(line, diary):
    train(line, Clock(Budget(steps=5)), [diary])
    assert diary.steps == [1, 2, 3, 4, 5]
    assert diary.closed_at == [5]


def test_terms_are_named_by_player_and_term(line, diary):
    x, y = line.batch("line", 0, 0.0)
    expected = (line.line(x) - y).square().mean().item()
    train(line, Clock(Budget(steps=1)), [diary])
    assert diary.terms == [{"line/residual": pytest.approx(expected)}]


def test_the_rate_of_a_step_is_that_of_the_progress_before_it(new_line):
    line = new_line(final=0.1, rate=1.0)
    rates = []

    class Watch(Diary):
        def after_step(self, clock, terms) -> None:
            rates.append(line.players["line"].optimiser.param_groups[0]["lr"])

    train(line, Clock(Budget(steps=4)), [Watch()])
    assert rates == pytest.approx([cosine(0.1)(step / 4) for step in range(4)])


def test_players_take_turns_and_each_moves_only_its_own_parameters(new_line):
    class Duel(new_line):
        """Two lines that follow the same points, one of them not at all."""

        def __init__(self) -> None:
            super().__init__()
            self.other = torch.nn.Linear(1, 1)
            still = torch.optim.SGD(self.other.parameters(), 0.0)
            self.players["other"] = Player(self.other, still, cosine(1.0))
            self.turns: list[tuple[str, int]] = []

        def batch(self, player, step, progress):
            self.turns.append((player, step))
            return super().batch(player, step, progress)

        def loss(self, player, batch, progress):
            x, y = batch
            return {"residual": (self.players[player].module(x) - y).square().mean()}

    duel = Duel()
    before = {name: value.clone() for name, value in duel.other.state_dict().items()}
    train(duel, Clock(Budget(steps=2)), [])
    assert duel.turns == [("line", 0), ("other", 0), ("line", 1), ("other", 1)]
    assert all(torch.equal(value, before[name]) for name, value in duel.other.state_dict().items())
    assert duel.line.weight.item() != 0


def test_a_loss_that_is_not_finite_stops_the_training_and_is_named(new_line, diary):
    class Diverging(new_line):
        """From step 3 on, one of the two terms is not a number."""

        def loss(self, player, batch, progress):
            terms = super().loss(player, batch, progress)
            return terms | {"penalty": self.line.weight.sum() * (float("nan") if progress >= 0.3 else 0.0)}

    with pytest.raises(FailedError, match="penalty is not finite at step 3") as caught:
        train(Diverging(), Clock(Budget(steps=10)), [diary])
    assert "residual" not in caught.value.what
    assert diary.steps == [1, 2, 3]
    assert diary.closed_at == [3]


def test_a_diverged_training_keeps_its_last_finite_checkpoint(new_line, folder):
    class Exploding(new_line):
        """Step 2 has a finite loss and an infinite gradient, which spoils the weights."""

        def loss(self, player, batch, progress):
            terms = super().loss(player, batch, progress)
            return terms | {"root": (0.0 * self.line.weight).abs().sqrt().sum()} if progress == 0.2 else terms

    method = Exploding()
    with pytest.raises(FailedError, match="step 3"):
        train(method, Clock(Budget(steps=10)), [Checkpoints(method, folder, every=0.0)])
    step, tensors, _ = load_checkpoint(latest_checkpoint(folder.checkpoints))
    assert step == 2
    assert all(tensor.isfinite().all() for tensor in tensors.values())


def test_an_interrupt_waits_for_the_step_in_progress_and_closes_the_hooks(new_line, diary):
    class Interrupting(new_line):
        """The user presses Ctrl-C while step 3 draws its points."""

        def batch(self, player, step, progress):
            if step == 3:
                signal.raise_signal(signal.SIGINT)
            return super().batch(player, step, progress)

    with pytest.raises(Interrupted):
        train(Interrupting(), Clock(Budget(steps=10)), [diary])
    assert diary.steps == [1, 2, 3, 4]
    assert diary.closed_at == [4]


def test_a_spent_budget_means_no_step(line, diary):
    train(line, Clock(Budget(steps=3), step=3), [diary])
    assert (diary.steps, diary.closed_at) == ([], [3])


def test_warming_up_changes_nothing(line):
    before = {name: value.clone() for name, value in line.line.state_dict().items()}
    warm_up(line)
    assert all(torch.equal(value, before[name]) for name, value in line.line.state_dict().items())
    assert all(parameter.grad is None for parameter in line.line.parameters())
    assert line.players["line"].optimiser.state_dict()["state"] == {}


def test_an_error_in_the_middle_of_a_step_saves_nothing_of_it(line, folder, monkeypatch):
    """Two parameters, and the second Ctrl-C comes between them."""
    hooks = [Checkpoints(line, folder)]
    train(line, Clock(Budget(steps=3)), [])
    half = line.players["line"].optimiser.step

    def stopped(*arguments):
        half()
        raise KeyboardInterrupt

    monkeypatch.setattr(line.players["line"].optimiser, "step", stopped)
    with pytest.raises(KeyboardInterrupt):
        train(line, Clock(Budget(steps=9)), hooks)
    assert latest_checkpoint(folder.checkpoints) is None


def test_every_hook_is_closed_though_one_of_them_fails(line):
    closed = []

    class Failing:
        def after_step(self, clock, terms) -> None: ...

        def close(self, clock, whole) -> None:
            closed.append(self)
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="disk is full"):
        train(line, Clock(Budget(steps=1)), [Failing(), Failing()])
    assert len(closed) == 2
