"""The compiled kernels of the tree itself: its nodes, the rows of its triangles, the order of queries, nearest points.

Coordinates are those of the tree (all within [-1, 1]); rows and boxes are float32, sums float64. `LANES` queries at a time go
through the tree together: the loops over lanes are the vectorised ones, so they are kept free of branches, of integers wider than
32 bits and of a variable count.
"""

import numpy as np
from numba import njit

__all__ = ["LANES", "PAD", "build_nodes", "curve_keys", "nearest", "triangle_rows"]

LANES = 32  # queries in a group
LEAF = 6  # primitives in a leaf, at most
BINS = 16  # places at which a node may be cut
PAD = 1e-6  # boxes are wider by this than their primitives, more than the rounding of a query's distance to them


@njit(nogil=True, cache=True)
def build_nodes(bounds, order, boxes, links):
    """Top-down; bounds [F, 6] and order [F] are permuted; returns number of nodes."""
    bins = 16
    stack = np.empty((128, 3), np.int64)
    count_of = np.empty(bins, np.int64)
    low_of = np.empty((bins, 3), np.float32)
    high_of = np.empty((bins, 3), np.float32)
    right_area = np.empty(bins, np.float64)
    low = np.empty(3, np.float32)
    high = np.empty(3, np.float32)
    stack[0, 0], stack[0, 1], stack[0, 2] = 0, order.shape[0], -1
    top, nodes = 1, 0
    while top > 0:
        top -= 1
        start, stop, parent = stack[top, 0], stack[top, 1], stack[top, 2]
        node = nodes
        nodes += 1
        if parent >= 0:
            links[parent, 0] = node
        widest, axis, origin = np.float32(-1.0), 0, np.float32(0.0)
        for k in range(3):
            lo, hi, clo, chi = np.float32(1e30), np.float32(-1e30), np.float32(1e30), np.float32(-1e30)
            for i in range(start, stop):
                a, b = bounds[i, k], bounds[i, k + 3]
                lo, hi = min(lo, a), max(hi, b)
                clo, chi = min(clo, a + b), max(chi, a + b)
            boxes[node, k], boxes[node, k + 3] = lo, hi
            if chi - clo > widest:
                widest, axis, origin = chi - clo, k, clo
        if stop - start <= LEAF:
            links[node, 0], links[node, 1] = start, stop - start
            continue
        links[node, 1] = 0
        middle = start
        if widest > 0:
            scale = np.float32(bins * 0.9999) / widest
            for b in range(bins):
                count_of[b] = 0
                for k in range(3):
                    low_of[b, k], high_of[b, k] = 1e30, -1e30
            for i in range(start, stop):
                b = int((bounds[i, axis] + bounds[i, axis + 3] - origin) * scale)
                count_of[b] += 1
                for k in range(3):
                    low_of[b, k] = min(low_of[b, k], bounds[i, k])
                    high_of[b, k] = max(high_of[b, k], bounds[i, k + 3])
            best_cost, best = 1e300, 0
            for sweep in range(2):
                for k in range(3):
                    low[k], high[k] = 1e30, -1e30
                number = 0
                for step in range(bins - 1):
                    b = bins - 1 - step if sweep == 0 else step
                    number += count_of[b]
                    for k in range(3):
                        low[k] = min(low[k], low_of[b, k])
                        high[k] = max(high[k], high_of[b, k])
                    area = 0.0
                    if number > 0:
                        x, y, z = high[0] - low[0], high[1] - low[1], high[2] - low[2]
                        area = (x * y + y * z + z * x) * number
                    if sweep == 0:
                        right_area[b] = area
                    elif area + right_area[b + 1] < best_cost and 0 < number < stop - start:
                        best_cost, best = area + right_area[b + 1], b
            i, j = start, stop - 1
            while i <= j:
                if int((bounds[i, axis] + bounds[i, axis + 3] - origin) * scale) <= best:
                    i += 1
                else:
                    for k in range(6):
                        bounds[i, k], bounds[j, k] = bounds[j, k], bounds[i, k]
                    order[i], order[j] = order[j], order[i]
                    j -= 1
            middle = i
        if middle == start or middle == stop:
            middle = (start + stop) // 2
        stack[top, 0], stack[top, 1], stack[top, 2] = middle, stop, node
        stack[top + 1, 0], stack[top + 1, 1], stack[top + 1, 2] = start, middle, -1
        top += 2
    return nodes


@njit(nogil=True, cache=True, error_model="numpy")
def triangle_rows(start, stop, vertices, faces, order, rows):
    """Rows of the triangles order[start:stop]; vertices float64 [V, 3] in tree coordinates."""
    for i in range(start, stop):
        face = order[i]
        a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
        ab = ac = bc = 0.0
        for k in range(3):
            ab += (vertices[b, k] - vertices[a, k]) ** 2
            bc += (vertices[c, k] - vertices[b, k]) ** 2
            ac += (vertices[a, k] - vertices[c, k]) ** 2
        if bc > ab and bc >= ac:  # turned so that ab is the longest edge
            a, b, c = b, c, a
        elif ac > ab:
            a, b, c = c, a, b
        ux, uy, uz = vertices[b, 0] - vertices[a, 0], vertices[b, 1] - vertices[a, 1], vertices[b, 2] - vertices[a, 2]
        vx, vy, vz = vertices[c, 0] - vertices[a, 0], vertices[c, 1] - vertices[a, 1], vertices[c, 2] - vertices[a, 2]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        twice_area = np.sqrt(nx * nx + ny * ny + nz * nz)
        length = np.sqrt(ux * ux + uy * uy + uz * uz)
        for k in range(3):
            rows[i, k], rows[i, 3 + k], rows[i, 6 + k] = vertices[a, k], vertices[b, k], vertices[c, k]
        if length == 0.0:
            ux, uy, uz, inverse = 1.0, 0.0, 0.0, 1.0
        else:
            inverse = 1.0 / length
        ux, uy, uz = ux * inverse, uy * inverse, uz * inverse
        # the frame's normal; a triangle without area takes any normal across its longest edge
        mx, my, mz = nx, ny, nz
        if twice_area <= 1e-12 * length * length:
            if abs(ux) <= abs(uy) and abs(ux) <= abs(uz):
                mx, my, mz = 0.0, uz, -uy
            elif abs(uy) <= abs(uz):
                mx, my, mz = -uz, 0.0, ux
            else:
                mx, my, mz = uy, -ux, 0.0
        norm = np.sqrt(mx * mx + my * my + mz * mz)
        inverse = 1.0 / norm
        mx, my, mz = mx * inverse, my * inverse, mz * inverse
        wx, wy, wz = my * uz - mz * uy, mz * ux - mx * uz, mx * uy - my * ux
        rows[i, 9], rows[i, 10], rows[i, 11] = nx, ny, nz
        rows[i, 12], rows[i, 13], rows[i, 14] = ux, uy, uz
        rows[i, 15], rows[i, 16], rows[i, 17] = wx, wy, wz
        rows[i, 18], rows[i, 19], rows[i, 20] = mx, my, mz
        cx, cy = vx * ux + vy * uy + vz * uz, max(vx * wx + vy * wy + vz * wz, 0.0)
        rows[i, 21], rows[i, 22], rows[i, 23] = length, cx, cy


@njit(nogil=True, cache=True)
def curve_keys(start, stop, points, low, scale, keys):
    """Position along the Hilbert curve of 1024^3 cells (Skilling 2004) above the point's index."""
    zero, last = np.float32(0.0), np.float32(1023.0)
    for i in range(start, stop):
        x = np.uint32(min(max((points[i, 0] - low[0]) * scale, zero), last))
        y = np.uint32(min(max((points[i, 1] - low[1]) * scale, zero), last))
        z = np.uint32(min(max((points[i, 2] - low[2]) * scale, zero), last))
        bit = np.uint32(512)
        while bit > 1:
            below = np.uint32(bit - 1)
            if x & bit:
                x ^= below
            if y & bit:
                x ^= below
            else:
                swap = (x ^ y) & below
                x, y = x ^ swap, y ^ swap
            if z & bit:
                x ^= below
            else:
                swap = (x ^ z) & below
                x, z = x ^ swap, z ^ swap
            bit >>= np.uint32(1)
        y ^= x
        z ^= y
        turn, bit = np.uint32(0), np.uint32(512)
        while bit > 1:
            if z & bit:
                turn ^= np.uint32(bit - 1)
            bit >>= np.uint32(1)
        code = spread(x ^ turn) << np.uint64(2) | spread(y ^ turn) << np.uint64(1) | spread(z ^ turn)
        keys[i] = code << np.uint64(32) | np.uint64(i)


@njit(nogil=True, cache=True)
def spread(c):
    """The ten bits of c, two zeros between neighbours."""
    c = np.uint64(c)
    c = (c | (c << np.uint64(16))) & np.uint64(0x030000FF)
    c = (c | (c << np.uint64(8))) & np.uint64(0x0300F00F)
    c = (c | (c << np.uint64(4))) & np.uint64(0x030C30C3)
    return (c | (c << np.uint64(2))) & np.uint64(0x09249249)


@njit(nogil=True, cache=True, error_model="numpy")
def project(points, i, vertices, faces, face, closest_points):
    """Distance of point i to one triangle, in float64, and the closest point there (Ericson 2004, section 5.1.5)."""
    a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
    d1 = d2 = d3 = d4 = d5 = d6 = 0.0
    for k in range(3):
        u, v = vertices[b, k] - vertices[a, k], vertices[c, k] - vertices[a, k]
        p = points[i, k]
        d1 += u * (p - vertices[a, k])
        d2 += v * (p - vertices[a, k])
        d3 += u * (p - vertices[b, k])
        d4 += v * (p - vertices[b, k])
        d5 += u * (p - vertices[c, k])
        d6 += v * (p - vertices[c, k])
    va, vb, vc = d3 * d6 - d5 * d4, d5 * d2 - d1 * d6, d1 * d4 - d3 * d2
    if d1 <= 0 and d2 <= 0:
        s, t = 0.0, 0.0
    elif d3 >= 0 and d4 <= d3:
        s, t = 1.0, 0.0
    elif d6 >= 0 and d5 <= d6:
        s, t = 0.0, 1.0
    elif vc <= 0 and d1 >= 0 and d3 <= 0:
        s, t = d1 / (d1 - d3), 0.0
    elif vb <= 0 and d2 >= 0 and d6 <= 0:
        s, t = 0.0, d2 / (d2 - d6)
    elif va <= 0 and d4 >= d3 and d5 >= d6:
        t = (d4 - d3) / ((d4 - d3) + (d5 - d6))
        s = 1.0 - t
    else:
        s, t = vb / (va + vb + vc), vc / (va + vb + vc)
    square = 0.0
    for k in range(3):
        q = vertices[a, k] + s * (vertices[b, k] - vertices[a, k]) + t * (vertices[c, k] - vertices[a, k])
        closest_points[i, k] = q
        square += (points[i, k] - q) ** 2
    return np.sqrt(square)


@njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def closest(start, stop, keys, points, centre, scale, reach, boxes, links, rows, vertices, faces, order, limit, distance, winner, closest_points):
    x = np.empty(LANES, np.float32)
    y = np.empty(LANES, np.float32)
    z = np.empty(LANES, np.float32)
    best = np.empty(LANES, np.float32)
    found = np.empty(LANES, np.int32)
    stack = np.empty(128, np.int64)
    zero, one = np.float32(0.0), np.float32(1.0)
    slack = np.float32(1.000002)
    far = np.float32(reach * reach)
    for group in range(start, stop, LANES):
        end = min(group + LANES, stop)
        mx = my = mz = zero
        for p in range(LANES):
            i = keys[min(group + p, end - 1)] & np.uint64(0xFFFFFFFF)
            x[p] = (points[i, 0] - centre[0]) * scale
            y[p] = (points[i, 1] - centre[1]) * scale
            z[p] = (points[i, 2] - centre[2]) * scale
            mx, my, mz = mx + x[p], my + y[p], mz + z[p]
            best[p] = far
            found[p] = -1
        mx, my, mz = mx / np.float32(LANES), my / np.float32(LANES), mz / np.float32(LANES)
        stack[0] = 0
        top = 1
        while top > 0:
            top -= 1
            node = stack[top]
            b = boxes[node]
            needed = zero
            for p in range(LANES):
                dx = max(max(b[0] - x[p], x[p] - b[3]), zero)
                dy = max(max(b[1] - y[p], y[p] - b[4]), zero)
                dz = max(max(b[2] - z[p], z[p] - b[5]), zero)
                needed += one if dx * dx + dy * dy + dz * dz <= best[p] * slack else zero
            if needed == zero:
                continue
            first, count = links[node, 0], links[node, 1]
            if count == 0:
                l, r = boxes[node + 1], boxes[first]
                dx = max(max(l[0] - mx, mx - l[3]), zero)
                dy = max(max(l[1] - my, my - l[4]), zero)
                dz = max(max(l[2] - mz, mz - l[5]), zero)
                left = dx * dx + dy * dy + dz * dz
                dx = max(max(r[0] - mx, mx - r[3]), zero)
                dy = max(max(r[1] - my, my - r[4]), zero)
                dz = max(max(r[2] - mz, mz - r[5]), zero)
                if left <= dx * dx + dy * dy + dz * dz:
                    stack[top], stack[top + 1] = first, node + 1
                else:
                    stack[top], stack[top + 1] = node + 1, first
                top += 2
                continue
            for i in range(first, first + count):
                t = rows[i]
                row = np.int32(i)
                length, cx, cy = t[21], t[22], t[23]
                fx = cx - length
                iac = one / (cx * cx + cy * cy + np.float32(1e-30))
                ibc = one / (fx * fx + cy * cy + np.float32(1e-30))
                for p in range(LANES):
                    ax, ay, az = x[p] - t[0], y[p] - t[1], z[p] - t[2]
                    u = ax * t[12] + ay * t[13] + az * t[14]
                    v = ax * t[15] + ay * t[16] + az * t[17]
                    h = ax * t[18] + ay * t[19] + az * t[20]
                    w = u - length
                    g = u - min(max(u, zero), length)
                    d = g * g + v * v
                    s = min(max((u * cx + v * cy) * iac, zero), one)
                    g, e = u - s * cx, v - s * cy
                    d = min(d, g * g + e * e)
                    s = min(max((w * fx + v * cy) * ibc, zero), one)
                    g, e = w - s * fx, v - s * cy
                    d = min(d, g * g + e * e)
                    inside = (v > zero) & (u * cy > v * cx) & (w * cy < v * fx)
                    d = (zero if inside else d) + h * h
                    better = (d < best[p]) | ((d == best[p]) & (row < found[p]))
                    best[p] = d if better else best[p]
                    found[p] = row if better else found[p]
        for p in range(end - group):
            j = keys[group + p] & np.uint64(0xFFFFFFFF)
            if found[p] < 0:
                distance[j], winner[j] = limit, -1
                for k in range(3):
                    closest_points[j, k] = points[j, k]
            else:
                winner[j] = order[found[p]]
                distance[j] = project(points, j, vertices, faces, winner[j], closest_points)
