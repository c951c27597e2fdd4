"""Convolutional encoder and decoder of images: halved and doubled in both directions.

Weights are drawn so that the variance stays the same from layer to layer (He et al. 2015), since a
short training has no time to mend it.
"""

from torch import Tensor, nn


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
    """[B, channels, H, W] -> [B, width, H / 2^n, W / 2^n], n = `halvings`; H and W divisible.

    Each halving is a 4 x 4 convolution of stride 2; `units` residual units follow the last. Taught
    in notebook 05.
    """

    def __init__(self, channels: int, width: int, halvings: int, units: int = 2):
        super().__init__()
        widths = [channels, *[width // 2] * (halvings - 1), width]
        layers: list[nn.Module] = []
        for few, many in zip(widths, widths[1:], strict=False):
            layers += [nn.Conv2d(few, many, 4, 2, 1), nn.ReLU()]
        layers += [nn.Conv2d(width, width, 3, padding=1)]
        layers += [*(Residual2d(width, width // 2) for _ in range(units)), nn.ReLU()]
        self.layers = nn.Sequential(*layers)
        self.apply(keep_variance)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class Conv2dDecoder(nn.Module):
    """[B, channels, H, W] -> [B, out, H * 2^n, W * 2^n], n = `doublings`: the encoder mirrored."""

    def __init__(self, channels: int, out: int, width: int, doublings: int, units: int = 2):
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 3, padding=1)]
        layers += [*(Residual2d(width, width // 2) for _ in range(units)), nn.ReLU()]
        widths = [width, *[width // 2] * (doublings - 1), out]
        for many, few in zip(widths, widths[1:], strict=False):
            layers += [nn.ConvTranspose2d(many, few, 4, 2, 1), nn.ReLU()]
        self.layers = nn.Sequential(*layers[:-1])
        self.apply(keep_variance)

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(z)


def keep_variance(module: nn.Module) -> None:
    """Draw the weights of a convolution for inputs that passed a ReLU; biases are 0."""
    if not isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        return
    into = module.in_channels * module.kernel_size[0] * module.kernel_size[1]
    if isinstance(module, nn.ConvTranspose2d):  # each output is reached by one part of the kernel
        into /= module.stride[0] * module.stride[1]
    nn.init.normal_(module.weight, std=(2 / into) ** 0.5)
    nn.init.zeros_(module.bias)
