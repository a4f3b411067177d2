"""The small network compiled: one block of 128 points at a time goes through all layers while it is in cache.

The matrix products are loops over the 128 lanes of a block, four rows of weights and four of activations at a
time, which the compiler turns into vector instructions: about twice as fast as BLAS at these sizes, and,
unlike BLAS, the sum for a point does not depend on its lane, so that a point has the same value in any batch.
The blocks are cut into a fixed number of pieces, each with gradient sums of its own that are added in order
afterwards: results do not depend on the number of threads either.
"""

import numpy as np
from numba import njit

__all__ = ["affine", "backward", "forward", "layer_of", "outer_sums", "product"]


@njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def product(weights, source, target):
    """target[o, lane] += sum_i weights[o, i] * source[i, lane]."""
    rows, inner = weights.shape
    whole_rows, whole_inner = rows - rows % 4, inner - inner % 4
    for o in range(0, whole_rows, 4):
        t0, t1, t2, t3 = target[o], target[o + 1], target[o + 2], target[o + 3]
        w0, w1, w2, w3 = weights[o], weights[o + 1], weights[o + 2], weights[o + 3]
        for i in range(0, whole_inner, 4):
            s0, s1, s2, s3 = source[i], source[i + 1], source[i + 2], source[i + 3]
            a0, a1, a2, a3 = w0[i], w0[i + 1], w0[i + 2], w0[i + 3]
            b0, b1, b2, b3 = w1[i], w1[i + 1], w1[i + 2], w1[i + 3]
            c0, c1, c2, c3 = w2[i], w2[i + 1], w2[i + 2], w2[i + 3]
            d0, d1, d2, d3 = w3[i], w3[i + 1], w3[i + 2], w3[i + 3]
            for lane in range(128):
                x0, x1, x2, x3 = s0[lane], s1[lane], s2[lane], s3[lane]
                t0[lane] += a0 * x0 + a1 * x1 + a2 * x2 + a3 * x3
                t1[lane] += b0 * x0 + b1 * x1 + b2 * x2 + b3 * x3
                t2[lane] += c0 * x0 + c1 * x1 + c2 * x2 + c3 * x3
                t3[lane] += d0 * x0 + d1 * x1 + d2 * x2 + d3 * x3
        for i in range(whole_inner, inner):
            s0 = source[i]
            a0, b0, c0, d0 = w0[i], w1[i], w2[i], w3[i]
            for lane in range(128):
                x0 = s0[lane]
                t0[lane] += a0 * x0
                t1[lane] += b0 * x0
                t2[lane] += c0 * x0
                t3[lane] += d0 * x0
    for o in range(whole_rows, rows):
        t0 = target[o]
        for i in range(inner):
            s0, a0 = source[i], weights[o, i]
            for lane in range(128):
                t0[lane] += a0 * s0[lane]


@njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def outer_sums(delta, source, sums):
    """sums[o, i] += sum over lanes of delta[o, lane] * source[i, lane]."""
    rows, inner = sums.shape
    zero = np.float32(0)
    for o in range(rows):
        d = delta[o]
        for i in range(0, inner - inner % 4, 4):
            s0, s1, s2, s3 = source[i], source[i + 1], source[i + 2], source[i + 3]
            t0, t1, t2, t3 = zero, zero, zero, zero
            for lane in range(128):
                x = d[lane]
                t0 += x * s0[lane]
                t1 += x * s1[lane]
                t2 += x * s2[lane]
                t3 += x * s3[lane]
            sums[o, i] += t0
            sums[o, i + 1] += t1
            sums[o, i + 2] += t2
            sums[o, i + 3] += t3
        for i in range(inner - inner % 4, inner):
            s0, t0 = source[i], zero
            for lane in range(128):
                t0 += d[lane] * s0[lane]
            sums[o, i] += t0


@njit(inline="always")
def layer_of(parameters, start, inputs, outputs):
    """Weights [out, in] and bias [out] of the layer that starts at `start` of the flat vector."""
    middle = start + inputs * outputs
    return parameters[start:middle].reshape(outputs, inputs), parameters[middle : middle + outputs]


@njit(inline="always")
def affine(weights, bias, source, target):
    """target[o, lane] = bias[o] + sum_i weights[o, i] * source[i, lane], for 128 lanes."""
    for o in range(target.shape[0]):
        value = bias[o]
        row = target[o]
        for lane in range(128):
            row[lane] = value
    product(weights, source, target)


@njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def _hidden_layers(source, parameters, widths, hidden):
    """Activations after each ReLU into hidden [sum of hidden widths, 128]; returns where the last layer and
    its input start."""
    zero = np.float32(0)
    start, row = 0, 0
    for layer in range(widths.shape[0] - 2):
        weights, bias = layer_of(parameters, start, widths[layer], widths[layer + 1])
        start += widths[layer] * widths[layer + 1] + widths[layer + 1]
        target = hidden[row : row + widths[layer + 1]]
        affine(weights, bias, source, target)
        for o in range(target.shape[0]):
            values = target[o]
            for lane in range(128):
                values[lane] = max(values[lane], zero)
        source = target
        row += widths[layer + 1]
    return start, row


@njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def forward(blocks, parameters, widths, hidden, first, last, result):
    """result[first..last] = network(blocks[first..last]). hidden [sum of hidden widths, 128]: room for one
    block's activations."""
    count = widths.shape[0] - 1
    for b in range(first, last):
        start, row = _hidden_layers(blocks[b], parameters, widths, hidden)
        weights, bias = layer_of(parameters, start, widths[count - 1], widths[count])
        affine(weights, bias, hidden[row - widths[count - 1] : row], result[b])


@njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def backward(blocks, parameters, widths, hidden, output_gradient, first, last, sums, scratch, input_gradient):
    """Gradients of blocks first..last: input_gradient[b] is set, the parameters' is added to `sums` (flat).

    The hidden activations are computed again, block by block: cheaper than a trip through memory.
    hidden [sum of hidden widths, 128] and scratch [3, widest, max(128, widest)]: room for one block.
    """
    count = widths.shape[0] - 1
    zero = np.float32(0)
    for b in range(first, last):
        start, row = _hidden_layers(blocks[b], parameters, widths, hidden)
        start += widths[count - 1] * widths[count] + widths[count]
        delta = output_gradient[b]
        for layer in range(count - 1, -1, -1):
            inputs, outputs = widths[layer], widths[layer + 1]
            start -= inputs * outputs + outputs
            weights, _ = layer_of(parameters, start, inputs, outputs)
            weight_sums, bias_sums = layer_of(sums, start, inputs, outputs)
            source = hidden[row - inputs : row] if layer > 0 else blocks[b]
            outer_sums(delta, source, weight_sums)
            for o in range(outputs):
                total, d = zero, delta[o]
                for lane in range(128):
                    total += d[lane]
                bias_sums[o] += total
            transposed = scratch[2].reshape(-1)[: inputs * outputs].reshape(inputs, outputs)
            for o in range(outputs):
                for i in range(inputs):
                    transposed[i, o] = weights[o, i]
            below = (
                scratch[layer % 2].reshape(-1)[: inputs * 128].reshape(inputs, 128)
                if layer > 0
                else input_gradient[b]
            )
            for i in range(inputs):
                target = below[i]
                for lane in range(128):
                    target[lane] = zero
            product(transposed, delta, below)
            if layer > 0:
                for i in range(inputs):
                    target, value = below[i], source[i]
                    for lane in range(128):
                        target[lane] = target[lane] if value[lane] > zero else zero
                row -= inputs
            delta = below
