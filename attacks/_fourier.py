"""LaMa's generator: a residual network of fast Fourier convolutions, at any size, and a restorer around it.

Suvorov et al. 2022 (arXiv 2109.07161), section 2.1 and appendix A; Chi et al. 2020, "Fast Fourier Convolution". Modules
and parameters are named as in the authors' published weights, so that those load at full size.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from maskbench import pad_symmetric, pull_push, zeroed
from torch import Tensor, nn

GLOBAL_SHARE = 0.75
"""Share of a residual block's channels that go through the Fourier transform (big-lama's ``ratio_gin``)."""

MOST_CHANNELS = 1024
"""Doubling the channels at every downsampling stops here."""

DARKEST = 1 / 512
"""Half a level of 255: a guess is kept this far from 0 and 1, where its logit would be infinite."""

Features = tuple[Tensor, Tensor | None]
"""Local and global features, both (N, C, H, W); global ones exist in the residual blocks alone."""


class FourierUnit(nn.Module):
    """A 1×1 convolution of the spectrum: every output pixel sees the whole image. (N, C, H, W) → (N, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_layer = nn.Conv2d(2 * channels, 2 * channels, 1, bias=False)
        self.bn = nn.BatchNorm2d(2 * channels)

    def forward(self, features: Tensor) -> Tensor:
        """Transform, convolve the real and imaginary parts as channels side by side, and transform back."""
        height, width = features.shape[-2:]
        spectrum = torch.fft.rfft2(features.float(), norm="ortho")  # there is no transform of bfloat16
        parts = torch.view_as_real(spectrum).permute(0, 1, 4, 2, 3).flatten(1, 2).to(features.dtype)
        parts = F.relu(self.bn(self.conv_layer(parts)))
        pairs = parts.float().unflatten(1, (-1, 2)).permute(0, 1, 3, 4, 2).contiguous()
        return torch.fft.irfft2(torch.view_as_complex(pairs), s=(height, width), norm="ortho").to(features.dtype)


class SpectralTransform(nn.Module):
    """The global-to-global path: a Fourier unit with a shortcut, between two 1×1 convolutions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.conv1 = nn.Sequential(nn.Conv2d(channels, half, 1, bias=False), nn.BatchNorm2d(half), nn.ReLU())
        self.fu = FourierUnit(half)
        self.conv2 = nn.Conv2d(half, channels, 1, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """(N, C, H, W) → (N, C, H, W)."""
        features = self.conv1(features)
        return self.conv2(features + self.fu(features))


class FourierConvolution(nn.Module):
    """Convolves local features, and lets local and global ones exchange (2109.07161, figure 2)."""

    def __init__(
        self, local_in: int, global_in: int, local_out: int, global_out: int, *, kernel: int, stride: int, padding: int
    ) -> None:
        super().__init__()

        def convolution(channels_in: int, channels_out: int) -> nn.Conv2d | None:
            if not (channels_in and channels_out):
                return None
            return nn.Conv2d(channels_in, channels_out, kernel, stride, padding, bias=False, padding_mode="reflect")

        self.convl2l = nn.Conv2d(local_in, local_out, kernel, stride, padding, bias=False, padding_mode="reflect")
        self.convl2g = convolution(local_in, global_out)
        self.convg2l = convolution(global_in, local_out)
        self.convg2g = SpectralTransform(global_out) if global_in and global_out else None

    def forward(self, features: Features) -> Features:
        """Local and global features → the same."""
        local, wide = features
        local_out = self.convl2l(local)
        if self.convl2g is None:
            return local_out, None
        wide_out = self.convl2g(local)
        if wide is None:
            return local_out, wide_out
        assert self.convg2l is not None and self.convg2g is not None, "made for local features alone"
        return local_out + self.convg2l(wide), wide_out + self.convg2g(wide)


class FourierLayer(nn.Module):
    """A Fourier convolution with batch normalisation and ReLU."""

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        *,
        kernel: int,
        stride: int = 1,
        padding: int = 0,
        share_in: float = 0.0,
        share_out: float = 0.0,
    ) -> None:
        super().__init__()
        global_in, global_out = int(channels_in * share_in), int(channels_out * share_out)
        local_in, local_out = channels_in - global_in, channels_out - global_out
        self.ffc = FourierConvolution(
            local_in, global_in, local_out, global_out, kernel=kernel, stride=stride, padding=padding
        )
        self.bn_l = nn.BatchNorm2d(local_out)
        self.bn_g = nn.BatchNorm2d(global_out) if global_out else None

    def forward(self, features: Tensor | Features) -> Features:
        """Local features alone, or both kinds → both kinds."""
        local, wide = self.ffc((features, None) if isinstance(features, Tensor) else features)
        return F.relu(self.bn_l(local)), None if self.bn_g is None else F.relu(self.bn_g(wide))


class FourierBlock(nn.Module):
    """Two layers with a shortcut around them."""

    def __init__(self, channels: int) -> None:
        super().__init__()

        def layer() -> FourierLayer:
            return FourierLayer(channels, channels, kernel=3, padding=1, share_in=GLOBAL_SHARE, share_out=GLOBAL_SHARE)

        self.conv1, self.conv2 = layer(), layer()

    def forward(self, features: Features) -> Features:
        """Both kinds of features → the same."""
        local, wide = self.conv2(self.conv1(features))
        assert features[1] is not None and wide is not None, "blocks lie where both kinds exist"
        return features[0] + local, features[1] + wide


class _Join(nn.Module):
    def forward(self, features: tuple[Tensor, Tensor]) -> Tensor:
        return torch.cat(features, dim=1)


class FourierGenerator(nn.Module):
    """LaMa's generator up to its sigmoid; the defaults are those of big-lama (51 million parameters).

    Args:
        channels_in: the image's channels and one of the mask, 1 = hole.
        width: channels of the first layer; each downsampling doubles them.
    """

    def __init__(
        self, channels_in: int = 4, channels_out: int = 3, *, width: int = 64, downsamplings: int = 3, blocks: int = 18
    ) -> None:
        super().__init__()
        self.channels_out = channels_out
        self.stride = 2**downsamplings
        widths = [min(MOST_CHANNELS, width * 2**level) for level in range(downsamplings + 1)]
        layers: list[nn.Module] = [nn.ReflectionPad2d(3), FourierLayer(channels_in, width, kernel=7)]
        for level in range(downsamplings):
            share = GLOBAL_SHARE if level == downsamplings - 1 else 0.0
            layers.append(
                FourierLayer(widths[level], widths[level + 1], kernel=3, stride=2, padding=1, share_out=share)
            )
        layers += [FourierBlock(widths[-1]) for _ in range(blocks)]
        layers.append(_Join())
        for level in reversed(range(downsamplings)):
            layers += [
                nn.ConvTranspose2d(widths[level + 1], widths[level], 3, stride=2, padding=1, output_padding=1),
                nn.BatchNorm2d(widths[level]),
                nn.ReLU(),
            ]
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(width, channels_out, 7)]
        self.model = nn.Sequential(*layers)

    def forward(self, masked: Tensor) -> Tensor:
        """Map image and mask (N, C, H, W), of two whole strides a side at least, to the logits of the image."""
        return self.model(masked)


class FourierInpainter(nn.Module):
    """A generator as its authors export it: holes are blanked, and what is known is put back.

    Args:
        precision: of convolutions and of the features between them; all else is computed in float32.
    """

    def __init__(self, generator: FourierGenerator, precision: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.generator = generator
        self.precision = precision
        for module in generator.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                module.to(precision)

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] and (N, 1, H, W) (1 = hole) → (N, 3, H, W); the sides are whole strides."""
        masked = torch.cat([image * (1 - mask), mask], dim=1)
        predicted = self.generator(masked.to(self.precision)).float().sigmoid()
        return mask * predicted + (1 - mask) * image


class RestoringGenerator(nn.Module):
    """A generator as a restorer: ``(released, masks) -> restored``, as :func:`maskbench.train_restorer` trains them.

    Args:
        generator: with ``guess`` it takes twice the image's channels and one; without, its own and one. Images of
            other channels (grey ones, for a generator that was trained on colours) are repeated, its answer averaged.
        guess: show it what :func:`pull_push` fills the holes with as well, and let it start from that: what a few
            hundred pairs are too few to learn. A generator trained elsewhere takes the release alone, as LaMa does.
    """

    def __init__(self, generator: FourierGenerator, *, guess: bool) -> None:
        super().__init__()
        self.generator = generator
        self.guess = guess
        if guess:
            last = generator.model[-1]
            assert isinstance(last, nn.Conv2d), "a generator ends in a convolution"
            zeroed(last)

    def forward(self, released: Tensor, masks: Tensor | None) -> Tensor:
        """Map images (N, C, H, W) in [0, 1] to images of the same shape and range.

        Masks are (N, 1, H, W), 1 = kept; None says that nothing is as it was.
        The release is shown with its fill, which may tell something; LaMa saw zeros, what most methods fill with.
        """
        channels, height, width = released.shape[1:]
        hidden = torch.ones_like(released[:, :1]) if masks is None else 1 - masks
        shown = released.expand(-1, self.generator.channels_out, -1, -1)
        parts = [shown, hidden]
        if self.guess:
            guess = pull_push(released, torch.ones_like(hidden) if masks is None else masks)
            parts.append(guess)
        stride = self.generator.stride
        # The innermost features need two pixels a side: one alone has nothing to reflect at its border.
        padded = pad_symmetric(torch.cat(parts, dim=1), stride if min(height, width) > stride else 2 * stride)
        logits = self.generator(padded)[..., :height, :width].float()
        if self.guess:
            logits = logits + guess.clamp(DARKEST, 1 - DARKEST).logit()
        restored = logits.sigmoid()
        return restored if restored.shape[1] == channels else restored.mean(dim=1, keepdim=True)
