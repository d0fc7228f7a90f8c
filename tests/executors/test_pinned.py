"""What changes results and is in no key: pinned during a stage, put back after it, and who changed it is named."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from maskbench import Given, Method, Release
from maskbench.conformance.suite import examine
from maskbench.executors.functions import Functions
from maskbench.executors.pinned import complaint, pinned
from maskbench.plugins import judging
from maskbench.plugins.catalogue import catalogue
from tiny import Ran, run, tiny
from torch import Tensor

SEED = 7


def _patch_the_judge() -> None:
    judging.images = lambda proposed, like, who: proposed


def _patch_torch() -> None:
    torch.Tensor.mean = lambda self, *arguments, **options: torch.zeros(())


def _patch_code() -> None:
    judging.ratio.__code__ = (lambda kept, promised, tolerance, who: None).__code__


def _patch_a_base() -> None:
    Method.release = lambda self, images, **given: Release(images)


_infers = torch.inference_mode()

CHANGES: dict[str, tuple[Callable[[], object], str]] = {
    "threads": (lambda: torch.set_num_threads(torch.get_num_threads() + 1), "changed the number of threads to"),
    "dtype": (lambda: torch.set_default_dtype(torch.float64), "changed the default dtype to float64"),
    "device": (lambda: torch.set_default_device("meta"), "changed the default device to meta"),
    "gradients": (lambda: torch.set_grad_enabled(False), "changed whether gradients are computed to False"),
    "determinism": (
        lambda: torch.use_deterministic_algorithms(True, warn_only=True),
        "changed whether algorithms must be deterministic",
    ),
    "benchmark": (lambda: setattr(torch.backends.cudnn, "benchmark", True), "changed cudnn.benchmark to True"),
    "folder": (lambda: os.chdir("/"), "changed the working folder"),
    "inference": (_infers.__enter__, "left inference mode on"),
    "seed": (lambda: torch.manual_seed(0), "seeded torch's global generator"),
    "numpy seed": (lambda: np.random.seed(0), "seeded numpy's global generator"),
    "Python seed": (lambda: random.seed(0), "seeded Python's global generator"),
    "judge": (_patch_the_judge, "replaced maskbench.plugins.judging.images"),
    "torch": (_patch_torch, "replaced torch.Tensor.mean"),
    "code": (_patch_code, "replaced the code of maskbench.plugins.judging.ratio"),
    "base": (_patch_a_base, "replaced maskbench.plugins.method.Method.release"),
}


def _state() -> tuple[object, ...]:
    return (
        torch.get_num_threads(),
        torch.get_default_dtype(),
        torch.get_default_device(),
        torch.is_grad_enabled(),
        torch.are_deterministic_algorithms_enabled(),
        torch.backends.cudnn.benchmark,
        Path.cwd(),
        torch.is_inference_mode_enabled(),
        torch.initial_seed(),
        judging.images,
        torch.Tensor.mean,
        judging.ratio.__code__,
        Method.release,
        np.random.seed,
        random.seed,
    )


@pytest.mark.parametrize("case", CHANGES)
def test_what_is_changed_is_named_and_put_back(case: str) -> None:
    change, phrase = CHANGES[case]
    before, changed = _state(), []
    with pinned(SEED, Functions(), changed):
        change()
    assert _state() == before
    assert any(it.startswith(phrase) for it in changed), changed


def test_who_changes_nothing_is_not_named() -> None:
    changed: list[str] = []
    with pinned(SEED, Functions(), changed):
        torch.rand(3), np.random.rand(3), random.random()
        with torch.no_grad(), torch.inference_mode(), torch.random.fork_rng():
            torch.manual_seed(3)
    assert changed == []


def test_it_is_put_back_where_the_work_fails() -> None:
    before, changed = _state(), []
    with pytest.raises(SystemExit), pinned(SEED, Functions(), changed):
        torch.set_default_dtype(torch.float64)
        raise SystemExit
    assert _state() == before
    assert complaint(changed) == "changed the default dtype to float64: plug-ins must leave it"


def test_what_the_caller_set_is_not_met_and_not_lost() -> None:
    """A notebook may have set it before."""
    torch.set_default_dtype(torch.float64)
    try:
        with torch.no_grad(), pinned(SEED, Functions(), []):
            assert torch.zeros(1).dtype == torch.float32
            assert torch.is_grad_enabled()
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


def test_global_generators_are_repeatable_and_given_back() -> None:
    def drawn() -> tuple[float, ...]:
        return float(torch.rand(1)), float(np.random.rand()), random.random()

    states = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()
    draws = []
    for _ in range(2):
        with pinned(SEED, Functions(), []):
            draws.append(drawn())
    assert draws[0] == draws[1]
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.random.get_state()[1].tolist() == states[1]
    assert random.getstate() == states[2]


class _Whole(Method):
    """Everything is blurred away."""

    name: ClassVar[str] = "whole-grey"

    def desensitize(self, images: Tensor, given: Given) -> Release:
        self.does()
        return Release(torch.full_like(images, 0.5))

    def does(self) -> None:
        """What it does besides."""


class SetsTheDtype(_Whole):
    """Works in double precision."""

    name: ClassVar[str] = "sets-the-dtype"

    def does(self) -> None:
        torch.set_default_dtype(torch.float64)


class ForgesTheJudge(_Whole):
    """Finds itself good."""

    name: ClassVar[str] = "forges-the-judge"

    def does(self) -> None:
        _patch_the_judge()


class Leaves(_Whole):
    """Thinks that it is a script."""

    name: ClassVar[str] = "leaves"

    def does(self) -> None:
        raise SystemExit(0)


class Interrupts(_Whole):
    """Plays the user."""

    name: ClassVar[str] = "interrupts"

    def does(self) -> None:
        raise KeyboardInterrupt


class Other(BaseException):
    """No exception that anybody catches."""


class RaisesIt(_Whole):
    """Raises what nobody catches."""

    name: ClassVar[str] = "raises-it"

    def does(self) -> None:
        raise Other("this")


REASONS = {
    SetsTheDtype: "changed the default dtype to float64: plug-ins must leave it",
    ForgesTheJudge: "replaced maskbench.plugins.judging.images: plug-ins must leave it",
    Leaves: "SystemExit: 0",
    Interrupts: "KeyboardInterrupt",
    RaisesIt: "Other: this",
}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """One run of all of them, and of a method that does nothing of the kind."""
    for plugin in (_Whole, *REASONS):
        catalogue().add(plugin)
    methods = ("whole-grey", *(plugin.name for plugin in REASONS))
    return run(tiny(methods, ("released",)), tmp_path_factory.mktemp("store"))[0]


@pytest.mark.parametrize("plugin", REASONS)
def test_it_is_a_failed_cell_with_its_reason(ran: Ran, plugin: type[Method]) -> None:
    mine = [result for result in ran.results if result.cell.method.name == plugin.name]
    assert mine and {result.status for result in mine} == {"failed"}
    assert all(REASONS[plugin] in result.reason for result in mine), mine[0].reason


def test_the_rest_goes_on(ran: Ran) -> None:
    others = [result for result in ran.results if result.cell.method.name not in {it.name for it in REASONS}]
    assert len(others) > 3 and {result.status for result in others} == {"ok"}


def test_ctrl_c_of_the_user_ends_the_run(tmp_path: Path) -> None:
    """Even where the plug-in catches it."""

    class Swallows(_Whole):
        """Catches everything."""

        name: ClassVar[str] = "swallows"

        def does(self) -> None:
            try:
                signal.raise_signal(signal.SIGINT)
            except KeyboardInterrupt:
                return

    catalogue().add(Swallows)
    with pytest.raises(KeyboardInterrupt):
        run(tiny(("swallows",), ("released",)), tmp_path)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("plugin", [SetsTheDtype, ForgesTheJudge])
def test_check_says_so(plugin: type[Method]) -> None:
    failures = {failure.check: failure.message for failure in examine(plugin).failures}
    assert REASONS[plugin].partition(":")[0] in failures["global state"]
    assert torch.get_default_dtype() == torch.float32


@pytest.mark.parametrize("plugin", [Leaves, Interrupts, RaisesIt])
def test_check_goes_on_to_its_end(plugin: type[Method]) -> None:
    report = examine(plugin)
    assert any(REASONS[plugin] in failure.message for failure in report.failures)
    assert report.results[-1].check.name == "global state" and report.results[-1].status == "ok"
