"""What a desensitization method must keep."""

from __future__ import annotations

from maskbench.conformance import invariance_checks as invariance
from maskbench.conformance import release_checks as release
from maskbench.conformance.common import COMMON

METHOD_CHECKS = (
    *COMMON,
    release.declarations,
    release.fit,
    release.valid_release,
    release.input_untouched,
    release.kept_pixels,
    release.ratio,
    release.output,
    invariance.determinism,
    invariance.batch_size,
    invariance.device,
    invariance.labels,
    invariance.one_party,
    release.sizes,
    release.extremes,
    release.sealed_judge,
)
