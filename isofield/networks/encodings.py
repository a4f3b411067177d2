"""What is done to coordinates before the first layer: identity, positional encoding, Fourier features.

Every encoding is a module with `in_features` and `out_features`. Frequencies are kept in the precision in
which they were given; those of the positional encodings are powers of two, so that `.double()` makes the
whole encoding double.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = [
    "CosineFirstFourierFeatures",
    "FourierFeatures",
    "Identity",
    "InterleavedPositionalEncoding",
    "PositionalEncoding",
    "basic_frequencies",
    "gaussian_frequencies",
    "octave_frequencies",
    "octave_frequencies_by_axis",
    "octave_frequencies_less_one",
]


class Identity(nn.Module):
    """The coordinates as they are."""

    def __init__(self, in_features: int = 3) -> None:
        super().__init__()
        self.in_features = self.out_features = in_features

    def forward(self, x: Float[Tensor, "*points axes"]) -> Float[Tensor, "*points axes"]:
        return x


class PositionalEncoding(nn.Module):
    """NeRF's encoding: for x = (x, y, z) and K frequencies, in this order

        x, y, z,
        sin(s x), sin(s y), sin(s z), cos(s x), cos(s y), cos(s z),
        sin(2 s x), sin(2 s y), sin(2 s z), cos(2 s x), cos(2 s y), cos(2 s z), ...
        sin(2^(K-1) s x), ..., cos(2^(K-1) s z)

    without the first line where `include_input` is False. Mildenhall et al. 2020, equation 4, has s = pi and
    does not keep the input; the published code, which is followed by default, has s = 1 and keeps it.
    """

    def __init__(
        self, in_features: int = 3, frequencies: int = 10, scale: float = 1.0, include_input: bool = True
    ) -> None:
        super().__init__()
        self.in_features, self.scale, self.include_input = in_features, scale, include_input
        self.out_features = in_features * (2 * frequencies + include_input)
        self.octaves: Tensor
        self.register_buffer("octaves", 2.0 ** torch.arange(frequencies), persistent=False)

    def forward(self, x: Float[Tensor, "*points axes"]) -> Float[Tensor, "*points features"]:
        angles = self.scale * x[..., None, :] * self.octaves[:, None]  # [..., frequency, axis]
        waves = torch.cat([angles.sin(), angles.cos()], -1).flatten(-2)
        return torch.cat([x, waves], -1) if self.include_input else waves


class InterleavedPositionalEncoding(nn.Module):
    """SIREN's "ReLU P.E." encoding: for x = (x, y, z) and K frequencies, in this order

        x, y, z,
        sin(pi x), cos(pi x), sin(pi y), cos(pi y), sin(pi z), cos(pi z),
        sin(2 pi x), cos(2 pi x), ..., cos(2 pi z), ...
        sin(2^(K-1) pi x), ..., cos(2^(K-1) pi z)

    The features of `PositionalEncoding(scale=pi)` in another order. Sitzmann et al. 2020, published code.
    """

    def __init__(self, in_features: int = 3, frequencies: int = 10) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = in_features * (2 * frequencies + 1)
        self.octaves: Tensor
        self.register_buffer("octaves", 2.0 ** torch.arange(frequencies), persistent=False)

    def forward(self, x: Float[Tensor, "*points axes"]) -> Float[Tensor, "*points features"]:
        angles = math.pi * x[..., None, :] * self.octaves[:, None]  # [..., frequency, axis]
        waves = torch.stack([angles.sin(), angles.cos()], -1).flatten(-3)
        return torch.cat([x, waves], -1)


class FourierFeatures(nn.Module):
    """Tancik's features of x in [0, 1], sines first: in this order

        a_1 sin(2 pi b_1.x), ..., a_M sin(2 pi b_M.x), a_1 cos(2 pi b_1.x), ..., a_M cos(2 pi b_M.x)

    frequencies: the rows b_m, [M, axes], in periods over the unit interval. amplitudes: a_m, [M], or 1.
    Neither is trained; both are saved. Tancik et al. 2020, equation 5, writes them in pairs, cosine first;
    the published notebooks, followed here, have all sines first.
    """

    def __init__(
        self,
        frequencies: Float[Tensor, "features axes"],
        amplitudes: Float[Tensor, "features"] | None = None,
    ) -> None:
        super().__init__()
        self.in_features, self.out_features = frequencies.shape[1], 2 * frequencies.shape[0]
        self.frequencies: Tensor
        self.amplitudes: Tensor
        self.register_buffer("frequencies", frequencies)
        self.register_buffer(
            "amplitudes", torch.ones_like(frequencies[:, 0]) if amplitudes is None else amplitudes
        )

    def forward(self, x: Float[Tensor, "*points axes"]) -> Float[Tensor, "*points features"]:
        angles = (2 * math.pi * x) @ self.frequencies.T
        return torch.cat([self.amplitudes * angles.sin(), self.amplitudes * angles.cos()], -1)


class CosineFirstFourierFeatures(nn.Module):
    """Fourier features of x in [-1, 1], cosines first: in this order

        a_1 cos(pi b_1.x), ..., a_M cos(pi b_M.x), a_1 sin(pi b_1.x), ..., a_M sin(pi b_M.x)

    The form of the package fourier_feature_nets, with its names: a_values [M] and b_values [axes, M] (the
    transpose of `FourierFeatures.frequencies`). Neither is trained; both are saved.
    """

    def __init__(
        self,
        frequencies: Float[Tensor, "features axes"],
        amplitudes: Float[Tensor, "features"] | None = None,
    ) -> None:
        super().__init__()
        self.in_features, self.out_features = frequencies.shape[1], 2 * frequencies.shape[0]
        self.a_values: Tensor
        self.b_values: Tensor
        self.register_buffer(
            "a_values", torch.ones_like(frequencies[:, 0]) if amplitudes is None else amplitudes
        )
        self.register_buffer("b_values", frequencies.T.contiguous())

    def forward(self, x: Float[Tensor, "*points axes"]) -> Float[Tensor, "*points features"]:
        angles = (math.pi * x) @ self.b_values
        return torch.cat([self.a_values * angles.cos(), self.a_values * angles.sin()], -1)


def basic_frequencies(axes: int = 3) -> Float[Tensor, "features axes"]:
    """One frequency along each axis: the identity matrix (Tancik's "basic")."""
    return torch.eye(axes)


def gaussian_frequencies(
    features: int = 256, sigma: float = 10.0, axes: int = 3, generator: torch.Generator | None = None
) -> Float[Tensor, "features axes"]:
    """Frequencies drawn from N(0, sigma^2) (Tancik's "Gaussian").

    sigma sets the finest detail that can be represented, and the noise between samples where it is too large.
    Published choices: 10 for natural images, 14 for text, 12 for 3-D shapes in the unit cube.
    """
    return sigma * torch.randn(features, axes, generator=generator)


def octave_frequencies_by_axis(count: int, largest: float, axes: int = 2) -> Float[Tensor, "features axes"]:
    """Tancik's "positional" frequencies of the image notebook: f_k = 2^e_k - 1, axis by axis.

    e_k: from 0 to `largest` in equal steps. Rows: (f_1, 0), ..., (f_count, 0), (0, f_1), ..., (0, f_count).
    The minus one is the notebook's: f_1 = 0. Published: largest = 6 for natural images, 5 for text.
    """
    return torch.cat([(_octaves(count, largest) - 1)[:, None] * unit for unit in torch.eye(axes)])


def octave_frequencies_less_one(count: int, largest: float, axes: int = 3) -> Float[Tensor, "features axes"]:
    """Tancik's "positional" frequencies of the 3-D notebook: f_k = 2^e_k - 1, the axes interleaved.

    e_k: from 0 to `largest` in equal steps. Rows: (f_1, 0, 0), (0, f_1, 0), (0, 0, f_1), (f_2, 0, 0), ...
    """
    return ((_octaves(count, largest) - 1)[:, None, None] * torch.eye(axes)).flatten(0, 1)


def octave_frequencies(count: int, largest: float, axes: int = 3) -> Float[Tensor, "features axes"]:
    """Frequencies f_k = 2^e_k, the axes interleaved: rows (1, 0, 0), (0, 1, 0), (0, 0, 1), (f_2, 0, 0), ...

    e_k: from 0 to `largest` in equal steps. The positional form of the package fourier_feature_nets, for
    `CosineFirstFourierFeatures`.
    """
    return (_octaves(count, largest)[:, None, None] * torch.eye(axes)).flatten(0, 1)


def _octaves(count: int, largest: float) -> Float[Tensor, "count"]:
    return 2.0 ** torch.linspace(0, largest, count)
