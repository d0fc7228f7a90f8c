"""A run of methods that hide less than they promise: their cells fail and say so, the others say what they hide."""

from __future__ import annotations

import pytest
from maskbench.plugins import judging
from maskbench.stages.party_release import StoredRelease
from maskbench.stages.trial import Trial
from tiny import Ran, pooled, run, tiny

COARSE, BETWEEN, NONE = "random:ratio=0.1,patch=16", "random:ratio=0.6,patch=8", "dp-pix"


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Digits at 32 px: a patch of 16 is a quarter of an image, one of 8 a sixteenth."""
    settings = {"scored": 16, "recognition": {"epochs": 1}, "attack": {"epochs": 1}, "restoration": {"epochs": 1}}
    suite = tiny([COARSE, BETWEEN, NONE], ["released"], data={"source": "digits", "limit": 100}, settings=settings)
    return run(suite, tmp_path_factory.mktemp("store"))[0]


def _release(done: Ran, method: str) -> StoredRelease:
    matrix = done.execution.matrix
    [found] = [each for each in matrix.methods if each.label() == method]
    return StoredRelease(done.artifact(Trial(matrix.data, found, matrix.suite.settings, 0).release("owner")))


def test_a_patch_that_is_coarse_for_the_images_fails_its_cells_with_what_to_do(done: Ran) -> None:
    mine = [result for result in done.results if result.cell.method.label() == COARSE]
    assert {result.status for result in mine} == {"failed"}
    reason = mine[0].reason
    assert "promised to hide 0.1 of each image but hides nothing of" in reason
    assert "one unit of its mask is 0.25 of the image: choose a smaller patch" in reason


def test_the_rest_of_the_matrix_goes_on(done: Ran) -> None:
    others = [result for result in done.results if result.cell.method.label() in (BETWEEN, NONE)]
    assert {result.status for result in others} == {"ok"}


def test_the_share_that_is_hidden_is_measured(done: Ran) -> None:
    release = _release(done, BETWEEN)
    for split in ("owner_train", "owner_test"):
        assert set(judging.hidden_share(release.masks(split)).tolist()) == {10 / 16}  # to the nearest unit
        assert release.unchanged(split) == 0


def test_results_have_the_measured_share_image_by_image_with_its_interval(done: Ran) -> None:
    shares = pooled(done.cells, method="random", metric="hidden").set_index("ratio")
    assert shares.loc[0.6, ["value", "ci_low", "ci_high"]].to_list() == [10 / 16] * 3
    assert set(done.cells.loc[done.cells["metric"] == "hidden", "method"]) == {"random", "full-mask"}
    samples = done.samples
    assert samples.loc[(samples["method"] == "random") & samples["hidden"].notna(), "hidden"].unique().tolist() == [
        10 / 16
    ]


def test_the_raw_control_is_unchanged(done: Ran) -> None:
    release = _release(done, "raw")
    assert release.unchanged("owner_test") == len(release.images("owner_test"))
