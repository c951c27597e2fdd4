"""Convolutional encoder and decoder of images, strided in either direction.

Weights are drawn so that the variance stays the same from layer to layer (He et al. 2015), since a
short training has no time to mend it.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from course_lib.nets.variance import keep_variance


class Residual2d(nn.Module):
    """x + what a 3 x 3 and a pointwise convolution add to it, [B, C, H, W] -> [B, C, H, W].

    The unit of VQ-VAE and VQ-VAE-2 (van den Oord et al. 2017, section 4.1), without norms.
    """

    def __init__(self, channels: int, hidden: int):
        super().__init__()
        self.layers = nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(channels, hidden, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(hidden, channels, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


class Conv2dEncoder(nn.Module):
    """[B, channels, H, W] -> [B, width, H / h, W / w], divisible by (h, w), product of `strides`.

    A stride is (bands, frames), each 1, 2 or 4; its convolution reaches twice as far, or with 1 no
    further than a place. `units` residual units follow the last. Taught in notebook 05.
    """

    def __init__(
        self, channels: int, width: int, strides: Sequence[tuple[int, int]], units: int = 2
    ):
        super().__init__()
        widths = [channels, *[width // 2] * (len(strides) - 1), width]
        layers: list[nn.Module] = []
        for stride, few, many in zip(strides, widths, widths[1:], strict=False):
            layers += [nn.Conv2d(few, many, **_reach(stride)), nn.ReLU()]
        layers += [nn.Conv2d(width, width, 3, padding=1)]
        layers += [*(Residual2d(width, width // 2) for _ in range(units)), nn.ReLU()]
        self.layers = nn.Sequential(*layers)
        keep_variance(self, gain=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class Conv2dDecoder(nn.Module):
    """[B, channels, H, W] -> [B, out, H * h, W * w]: the encoder of the same strides mirrored."""

    def __init__(
        self,
        channels: int,
        out: int,
        width: int,
        strides: Sequence[tuple[int, int]],
        units: int = 2,
    ):
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 3, padding=1)]
        layers += [*(Residual2d(width, width // 2) for _ in range(units)), nn.ReLU()]
        widths = [width, *[width // 2] * (len(strides) - 1), out]
        for stride, many, few in zip(reversed(strides), widths, widths[1:], strict=False):
            layers += [nn.ConvTranspose2d(many, few, **_reach(stride)), nn.ReLU()]
        self.layers = nn.Sequential(*layers[:-1])
        keep_variance(self, gain=2)

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(z)


def _reach(stride: tuple[int, int]) -> dict[str, tuple[int, int]]:
    """Kernel, stride and padding that divide, or multiply, a length exactly by the stride."""
    if not set(stride) <= {1, 2, 4}:
        raise ValueError(f"stride={stride}: each of the two must be 1, 2 or 4.")
    kernel = tuple(1 if s == 1 else 2 * s for s in stride)
    padding = tuple(s // 2 for s in stride)  # 0 for 1
    return {"kernel_size": kernel, "stride": tuple(stride), "padding": padding}
