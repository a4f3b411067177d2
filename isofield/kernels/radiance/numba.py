"""The radiance network compiled, from features to pixels and back.

Rays are taken in chunks of up to ROOM samples that stay in the core's cache on their way through both
networks, along the rays into colours, and back: activations are neither written to memory nor computed twice.
"""

import numpy as np
from numba import njit

from ..mlp.numba import affine, layer_of, outer_sums, product
from .reference import BOUND, HARMONICS, ROOM

__all__ = ["harmonics", "learn", "look", "reach"]

_ZERO, _ONE, _BOUND = np.float32(0), np.float32(1), np.float32(BOUND)
_DARKEST = np.float32(80)  # the colour's logarithm below which it is 0: 1 / (1 + infinity) would be no number


@njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def harmonics(x, y, z, values):
    """The 16 spherical harmonics of bands 0 to 3 of a unit direction, with tiny-cuda-nn's signs
    (`networks.spherical_harmonics`)."""
    xx, yy, zz = x * x, y * y, z * z
    values[0] = np.float32(0.28209479177387814)
    values[1] = np.float32(-0.48860251190291987) * y
    values[2] = np.float32(0.48860251190291987) * z
    values[3] = np.float32(-0.48860251190291987) * x
    values[4] = np.float32(1.0925484305920792) * x * y
    values[5] = np.float32(-1.0925484305920792) * y * z
    values[6] = np.float32(0.94617469575755997) * zz - np.float32(0.31539156525251999)
    values[7] = np.float32(-1.0925484305920792) * x * z
    values[8] = np.float32(0.54627421529603959) * (xx - yy)
    values[9] = np.float32(0.59004358992664352) * y * (yy - np.float32(3) * xx)
    values[10] = np.float32(2.8906114426405538) * x * y * z
    values[11] = np.float32(0.45704579946446572) * y * (_ONE - np.float32(5) * zz)
    values[12] = np.float32(0.3731763325901154) * z * (np.float32(5) * zz - np.float32(3))
    values[13] = np.float32(0.45704579946446572) * x * (_ONE - np.float32(5) * zz)
    values[14] = np.float32(1.4453057213202769) * z * (xx - yy)
    values[15] = np.float32(0.59004358992664352) * x * (np.float32(3) * yy - xx)


@njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def _load(features, starts, counts, first, last, chunk):
    """chunk[sub-block, feature, lane] = the features of the samples of rays first..last, without gaps; lanes
    behind them are 0. Returns how many samples."""
    place = 0
    for ray in range(first, last):
        source, left = starts[ray], counts[ray]
        while left > 0:
            run = min(128 - source % 128, 128 - place % 128, left)
            for f in range(features.shape[1]):
                row, target = features[source // 128, f], chunk[place // 128, f]
                for k in range(run):
                    target[place % 128 + k] = row[source % 128 + k]
            source, place, left = source + run, place + run, left - run
    if place % 128 > 0:
        for f in range(features.shape[1]):
            target = chunk[place // 128, f]
            for k in range(place % 128, 128):
                target[k] = _ZERO
    return place


@njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def _store(chunk, starts, counts, first, last, features):
    """The way back from `_load`."""
    place = 0
    for ray in range(first, last):
        source, left = starts[ray], counts[ray]
        while left > 0:
            run = min(128 - source % 128, 128 - place % 128, left)
            for f in range(features.shape[1]):
                row, target = chunk[place // 128, f], features[source // 128, f]
                for k in range(run):
                    target[source % 128 + k] = row[place % 128 + k]
            source, place, left = source + run, place + run, left - run


@njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def _rectify(values):
    for o in range(values.shape[0]):
        row = values[o]
        for lane in range(128):
            row[lane] = max(row[lane], _ZERO)


@njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def _last_ray(counts, first, last):
    """The rays first..result fill a chunk."""
    ray, taken = first, 0
    while ray < last and taken + counts[ray] <= ROOM:
        taken += counts[ray]
        ray += 1
    return ray


@njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def reach(features, starts, lengths, dense, widths, unit, dark, first, last, counts):
    """counts[ray] = how many samples of rays first..last light reaches: the transmittance is above exp(-dark)
    in front of them."""
    inputs, hidden, coded = widths[0], widths[1], widths[2]
    w1, b1 = layer_of(dense, 0, inputs, hidden)
    w2, b2 = layer_of(dense, inputs * hidden + hidden, hidden, coded)
    h, c = np.empty((hidden, 128), np.float32), np.empty((1, 128), np.float32)
    done = -1  # the block that c holds
    for ray in range(first, last):
        depth, s = _ZERO, starts[ray]
        while s < starts[ray + 1] and depth < dark:
            block = s // 128
            if block != done:
                affine(w1, b1, features[block], h)
                _rectify(h)
                affine(w2[:1], b2[:1], h, c)
                done = block
            depth += np.exp(min(max(c[0, s % 128], -_BOUND), _BOUND)) * unit * lengths[s]
            s += 1
        counts[ray] = s - starts[ray]


@njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def _forward(
    features, directions, starts, counts, first, last, dense, light, widths, unit, x, h, c, k1, k2, o, density
):
    """Densities and colours of the samples of rays first..last: density [samples], o [sub-block, 3, lane]."""
    count = _load(features, starts, counts, first, last, x)
    inputs, hidden, coded, bright = widths[0], widths[1], widths[2], widths[3]
    w1, b1 = layer_of(dense, 0, inputs, hidden)
    w2, b2 = layer_of(dense, inputs * hidden + hidden, hidden, coded)
    lit = coded + HARMONICS
    v1, a1 = layer_of(light, 0, lit, bright)
    v2, a2 = layer_of(light, lit * bright + bright, bright, bright)
    v3, a3 = layer_of(light, (lit + bright + 2) * bright, bright, 3)
    values = np.empty(HARMONICS, np.float32)
    i = 0
    for ray in range(first, last):
        if counts[ray] > 0:
            harmonics(directions[ray, 0], directions[ray, 1], directions[ray, 2], values)
        for _ in range(counts[ray]):
            for k in range(HARMONICS):
                c[i // 128, coded + k, i % 128] = values[k]
            i += 1
    for sub in range((count + 127) // 128):
        affine(w1, b1, x[sub], h[sub])
        _rectify(h[sub])
        affine(w2, b2, h[sub], c[sub, :coded])
        row = c[sub, 0]
        for lane in range(128):
            density[sub * 128 + lane] = np.exp(min(max(row[lane], -_BOUND), _BOUND)) * unit
        affine(v1, a1, c[sub], k1[sub])
        _rectify(k1[sub])
        affine(v2, a2, k1[sub], k2[sub])
        _rectify(k2[sub])
        affine(v3, a3, k2[sub], o[sub])
        for channel in range(3):
            row = o[sub, channel]
            for lane in range(128):
                row[lane] = _ONE / (_ONE + np.exp(min(-row[lane], _DARKEST)))
    return count


@njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def _rooms(widths):
    """Room for a chunk: features, hidden units, codes with harmonics, brightness twice, colours, density."""
    subs = ROOM // 128
    return (
        np.empty((subs, widths[0], 128), np.float32),
        np.empty((subs, widths[1], 128), np.float32),
        np.zeros((subs, widths[2] + HARMONICS, 128), np.float32),
        np.empty((subs, widths[3], 128), np.float32),
        np.empty((subs, widths[3], 128), np.float32),
        np.empty((subs, 3, 128), np.float32),
        np.empty(ROOM, np.float32),
    )


@njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def look(
    features, directions, starts, counts, places, lengths, dense, light, widths, unit, first, last, seen
):
    """seen[ray] = colour (3), opacity, distance of rays first..last."""
    x, h, c, k1, k2, o, density = _rooms(widths)
    while first < last:
        end = _last_ray(counts, first, last)
        _forward(
            features,
            directions,
            starts,
            counts,
            first,
            end,
            dense,
            light,
            widths,
            unit,
            x,
            h,
            c,
            k1,
            k2,
            o,
            density,
        )
        i = 0
        for ray in range(first, end):
            passing = _ONE
            red, green, blue, distance = _ZERO, _ZERO, _ZERO, _ZERO
            for s in range(starts[ray], starts[ray] + counts[ray]):
                through = np.exp(-density[i] * lengths[s])
                weight = passing * (_ONE - through)
                red += weight * o[i // 128, 0, i % 128]
                green += weight * o[i // 128, 1, i % 128]
                blue += weight * o[i // 128, 2, i % 128]
                distance += weight * places[s]
                passing *= through
                i += 1
            seen[ray, 0], seen[ray, 1], seen[ray, 2] = red, green, blue
            seen[ray, 3], seen[ray, 4] = _ONE - passing, distance
        first = end


@njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def _back(delta, source, transposed, weight_sums, bias_sums, below):
    """One layer backward: adds the gradients of weights and bias; below = transposed weights times delta."""
    outer_sums(delta, source, weight_sums)
    for o in range(delta.shape[0]):
        total, row = _ZERO, delta[o]
        for lane in range(128):
            total += row[lane]
        bias_sums[o] += total
    for i in range(below.shape[0]):
        row = below[i]
        for lane in range(128):
            row[lane] = _ZERO
    product(transposed, delta, below)


@njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def _mask(below, source):
    for i in range(source.shape[0]):
        row, value = below[i], source[i]
        for lane in range(128):
            row[lane] = row[lane] if value[lane] > _ZERO else _ZERO


@njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def _transposed(weights):
    result = np.empty((weights.shape[1], weights.shape[0]), np.float32)
    for o in range(weights.shape[0]):
        for i in range(weights.shape[1]):
            result[i, o] = weights[o, i]
    return result


@njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def learn(
    features, directions, starts, counts, lengths, target, background, group, share, dense, light, widths,
    unit, first, last, dense_sums, light_sums, feature_gradient,
):  # fmt: skip
    """Squared errors of rays first..last against their pixels, summed; gradients of `share` times that sum
    are added to dense_sums and light_sums and set in feature_gradient.

    target [pixels, 4]: premultiplied colour, alpha; background [pixels, 3]; `group` rays make a pixel.
    """
    inputs, hidden, coded, bright = widths[0], widths[1], widths[2], widths[3]
    lit = coded + HARMONICS
    x, h, c, k1, k2, o, density = _rooms(widths)
    dw1, db1 = layer_of(dense_sums, 0, inputs, hidden)
    dw2, db2 = layer_of(dense_sums, inputs * hidden + hidden, hidden, coded)
    dv1, da1 = layer_of(light_sums, 0, lit, bright)
    dv2, da2 = layer_of(light_sums, lit * bright + bright, bright, bright)
    dv3, da3 = layer_of(light_sums, (lit + bright + 2) * bright, bright, 3)
    w1 = _transposed(layer_of(dense, 0, inputs, hidden)[0])
    w2 = _transposed(layer_of(dense, inputs * hidden + hidden, hidden, coded)[0])
    v1 = _transposed(layer_of(light, 0, lit, bright)[0])
    v2 = _transposed(layer_of(light, lit * bright + bright, bright, bright)[0])
    v3 = _transposed(layer_of(light, (lit + bright + 2) * bright, bright, 3)[0])
    weights = np.empty(ROOM, np.float32)
    left = np.empty(ROOM, np.float32)  # light left behind a sample: sums of opaque samples would lose it
    slope = np.empty(ROOM, np.float32)  # of the loss in the logarithm of the density
    do = np.empty((ROOM // 128, 3, 128), np.float32)
    dk, dl = np.empty((bright, 128), np.float32), np.empty((bright, 128), np.float32)
    dc, dh = np.empty((lit, 128), np.float32), np.empty((hidden, 128), np.float32)
    total, part = 0.0, _ONE / np.float32(group)
    while first < last:
        end = _last_ray(counts, first, last)
        end -= (end - first) % group
        count = _forward(
            features,
            directions,
            starts,
            counts,
            first,
            end,
            dense,
            light,
            widths,
            unit,
            x,
            h,
            c,
            k1,
            k2,
            o,
            density,
        )
        subs = (count + 127) // 128
        for i in range(count, subs * 128):
            slope[i] = _ZERO
            do[i // 128, 0, i % 128] = do[i // 128, 1, i % 128] = do[i // 128, 2, i % 128] = _ZERO
        begin = 0  # of the samples of a pixel in the chunk
        for ray in range(first, end, group):
            pixel = ray // group
            e0, e1, e2 = _ZERO, _ZERO, _ZERO
            i = begin
            for r in range(ray, ray + group):
                passing = _ONE
                for s in range(starts[r], starts[r] + counts[r]):
                    through = np.exp(-density[i] * lengths[s])
                    weight = passing * (_ONE - through)
                    e0 += weight * o[i // 128, 0, i % 128]
                    e1 += weight * o[i // 128, 1, i % 128]
                    e2 += weight * o[i // 128, 2, i % 128]
                    passing *= through
                    weights[i], left[i] = weight, passing
                    i += 1
                e0 += passing * background[pixel, 0]
                e1 += passing * background[pixel, 1]
                e2 += passing * background[pixel, 2]
            clear = _ONE - target[pixel, 3]
            e0 = e0 * part - target[pixel, 0] - clear * background[pixel, 0]
            e1 = e1 * part - target[pixel, 1] - clear * background[pixel, 1]
            e2 = e2 * part - target[pixel, 2] - clear * background[pixel, 2]
            total += np.float64(e0 * e0 + e1 * e1 + e2 * e2)
            scale = np.float32(2) * share * part
            g0, g1, g2 = scale * e0, scale * e1, scale * e2
            behind_all = g0 * background[pixel, 0] + g1 * background[pixel, 1] + g2 * background[pixel, 2]
            for r in range(ray, ray + group):
                # from the far end: `behind` is what the light from behind sample i adds to the loss's slope
                behind = behind_all
                if counts[r] > 0:
                    behind *= left[begin + counts[r] - 1]
                for k in range(counts[r] - 1, -1, -1):
                    i = begin + k
                    sub, lane = i // 128, i % 128
                    weight = weights[i]
                    r0, r1, r2 = o[sub, 0, lane], o[sub, 1, lane], o[sub, 2, lane]
                    along = g0 * r0 + g1 * r1 + g2 * r2
                    slope[i] = density[i] * lengths[starts[r] + k] * (left[i] * along - behind)
                    behind += weight * along
                    do[sub, 0, lane] = weight * g0 * r0 * (_ONE - r0)
                    do[sub, 1, lane] = weight * g1 * r1 * (_ONE - r1)
                    do[sub, 2, lane] = weight * g2 * r2 * (_ONE - r2)
                begin += counts[r]
        for sub in range(subs):
            _back(do[sub], k2[sub], v3, dv3, da3, dk)
            _mask(dk, k2[sub])
            _back(dk, k1[sub], v2, dv2, da2, dl)
            _mask(dl, k1[sub])
            _back(dl, c[sub], v1, dv1, da1, dc)
            row, raw = dc[0], c[sub, 0]
            for lane in range(128):
                if abs(raw[lane]) < _BOUND:
                    row[lane] += slope[sub * 128 + lane]
            _back(dc[:coded], h[sub], w2, dw2, db2, dh)
            _mask(dh, h[sub])
            _back(dh, x[sub], w1, dw1, db1, x[sub])
        _store(x, starts, counts, first, end, feature_gradient)
        first = end
    return total
