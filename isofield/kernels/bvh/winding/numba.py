"""The compiled kernels of the winding number: multipole expansions of the nodes, and their sum at many points."""

import numpy as np
from numba import njit

__all__ = ["expand_nodes", "winding", "winding_gradient"]

LANES = 32  # queries in a group


@njit(nogil=True, cache=True, error_model="numpy")
def expand_nodes(boxes, links, rows, tolerance, narrowest, sums, multipoles):
    """Bottom-up; sums float64 [nodes, 36] scratch: area, centre, radius, spread, N, M1 [i, j], M2 [i, jj]."""
    for node in range(links.shape[0] - 1, -1, -1):
        s = sums[node]
        for k in range(36):
            s[k] = 0.0
        first, count = links[node, 0], links[node, 1]
        if count > 0:
            for sweep in range(2):
                if sweep == 1:
                    for k in range(3):
                        s[1 + k] = s[1 + k] / s[0] if s[0] > 0 else 0.5 * (boxes[node, k] + boxes[node, 3 + k])
                for i in range(first, first + count):
                    t = rows[i]
                    area = 0.5 * np.sqrt(float(t[9]) ** 2 + float(t[10]) ** 2 + float(t[11]) ** 2)
                    if sweep == 0:
                        s[0] += area
                        for k in range(3):
                            s[1 + k] += area * (float(t[k]) + float(t[3 + k]) + float(t[6 + k])) / 3.0
                        continue
                    cx, cy, cz = (float(t[0]) + float(t[3]) + float(t[6])) / 3.0 - s[1], (float(t[1]) + float(t[4]) + float(t[7])) / 3.0 - s[2], (float(t[2]) + float(t[5]) + float(t[8])) / 3.0 - s[3]
                    xx, yy, zz, xy, yz, zx = 9 * cx * cx, 9 * cy * cy, 9 * cz * cz, 9 * cx * cy, 9 * cy * cz, 9 * cz * cx
                    for corner in range(0, 9, 3):
                        x, y, z = t[corner] - s[1], t[corner + 1] - s[2], t[corner + 2] - s[3]
                        s[4] = max(s[4], x * x + y * y + z * z)
                        xx, yy, zz, xy, yz, zx = xx + x * x, yy + y * y, zz + z * z, xy + x * y, yz + y * z, zx + z * x
                    s[5] += area * (xx + yy + zz) / 12.0
                    for k in range(3):
                        n = 0.5 * t[9 + k]
                        s[6 + k] += n
                        s[9 + 3 * k] += n * cx
                        s[10 + 3 * k] += n * cy
                        s[11 + 3 * k] += n * cz
                        n /= 12.0
                        s[18 + 6 * k] += n * xx
                        s[19 + 6 * k] += n * yy
                        s[20 + 6 * k] += n * zz
                        s[21 + 6 * k] += n * xy
                        s[22 + 6 * k] += n * yz
                        s[23 + 6 * k] += n * zx
            s[4] = np.sqrt(s[4])
        else:
            left, right = sums[node + 1], sums[first]
            s[0] = left[0] + right[0]
            corner = 0.0
            for k in range(3):
                s[1 + k] = (left[0] * left[1 + k] + right[0] * right[1 + k]) / s[0] if s[0] > 0 else 0.5 * (boxes[node, k] + boxes[node, 3 + k])
                corner += max(boxes[node, 3 + k] - s[1 + k], s[1 + k] - boxes[node, k]) ** 2
            for child in range(2):
                c = left if child == 0 else right
                x, y, z = c[1] - s[1], c[2] - s[2], c[3] - s[3]
                away = x * x + y * y + z * z
                s[4] = max(s[4], c[4] + np.sqrt(away))
                s[5] += c[5] + c[0] * away
                for k in range(3):
                    n, mx, my, mz = c[6 + k], c[9 + 3 * k], c[10 + 3 * k], c[11 + 3 * k]
                    s[6 + k] += n
                    s[9 + 3 * k] += mx + n * x
                    s[10 + 3 * k] += my + n * y
                    s[11 + 3 * k] += mz + n * z
                    s[18 + 6 * k] += c[18 + 6 * k] + 2 * mx * x + n * x * x
                    s[19 + 6 * k] += c[19 + 6 * k] + 2 * my * y + n * y * y
                    s[20 + 6 * k] += c[20 + 6 * k] + 2 * mz * z + n * z * z
                    s[21 + 6 * k] += c[21 + 6 * k] + mx * y + my * x + n * x * y
                    s[22 + 6 * k] += c[22 + 6 * k] + my * z + mz * y + n * y * z
                    s[23 + 6 * k] += c[23 + 6 * k] + mz * x + mx * z + n * z * x
            s[4] = min(s[4], np.sqrt(corner))
        out = multipoles[node]
        out[0], out[1], out[2] = s[1], s[2], s[3]
        reach = max(narrowest * s[4], (s[5] * s[4] / tolerance) ** 0.2)
        out[3] = reach * reach
        out[4], out[5], out[6] = s[6], s[7], s[8]
        trace = (s[9] + s[13] + s[17]) / 3.0
        out[7], out[8], out[9] = -3.0 * (s[9] - trace), -3.0 * (s[13] - trace), -3.0 * (s[17] - trace)
        out[10], out[11], out[12] = -3.0 * (s[10] + s[12]), -3.0 * (s[14] + s[16]), -3.0 * (s[11] + s[15])
        # symmetric part of M2: xxx = x,xx; xxy = (2 x,xy + y,xx) / 3; xyz = (x,yz + y,zx + z,xy) / 3
        xxx, yyy, zzz = s[18], s[25], s[32]
        xxy, xxz = (2 * s[21] + s[24]) / 3, (2 * s[23] + s[30]) / 3
        yyx, yyz = (2 * s[27] + s[19]) / 3, (2 * s[28] + s[31]) / 3
        zzx, zzy = (2 * s[35] + s[20]) / 3, (2 * s[34] + s[26]) / 3
        xyz = (s[22] + s[29] + s[33]) / 3
        tx, ty, tz = (xxx + yyx + zzx) / 5, (xxy + yyy + zzy) / 5, (xxz + yyz + zzz) / 5
        out[13], out[14], out[15] = 7.5 * (xxx - 3 * tx), 7.5 * (yyy - 3 * ty), 7.5 * (zzz - 3 * tz)
        out[16], out[17] = 22.5 * (xxy - ty), 22.5 * (xxz - tz)
        out[18], out[19] = 22.5 * (yyx - tx), 22.5 * (yyz - tz)
        out[20], out[21] = 22.5 * (zzx - tx), 22.5 * (zzy - ty)
        out[22] = 45.0 * xyz


@njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def winding(start, stop, keys, points, centre, scale, links, rows, multipoles, dipoles, out):
    x = np.empty(LANES, np.float32)
    y = np.empty(LANES, np.float32)
    z = np.empty(LANES, np.float32)
    total = np.empty(LANES, np.float32)
    re = np.empty(LANES, np.float32)
    im = np.empty(LANES, np.float32)
    turns = np.empty(LANES, np.float32)
    low = np.empty(3, np.float32)
    high = np.empty(3, np.float32)
    stack = np.empty(128, np.int64)
    one, zero, tiny = np.float32(1.0), np.float32(0.0), np.float32(1e-30)
    for group in range(start, stop, LANES):
        end = min(group + LANES, stop)
        for k in range(3):
            low[k], high[k] = 1e30, -1e30
        for p in range(LANES):
            i = keys[min(group + p, end - 1)] & np.uint64(0xFFFFFFFF)
            x[p] = (points[i, 0] - centre[0]) * scale
            y[p] = (points[i, 1] - centre[1]) * scale
            z[p] = (points[i, 2] - centre[2]) * scale
            low[0], low[1], low[2] = min(low[0], x[p]), min(low[1], y[p]), min(low[2], z[p])
            high[0], high[1], high[2] = max(high[0], x[p]), max(high[1], y[p]), max(high[2], z[p])
            total[p], re[p], im[p], turns[p] = zero, one, zero, zero
        stack[0] = 0
        top = 1
        while top > 0:
            top -= 1
            node = stack[top]
            m = multipoles[node]
            away = zero
            for k in range(3):
                d = max(max(low[k] - m[k], m[k] - high[k]), zero)
                away += d * d
            if away >= m[3]:
                for p in range(LANES):
                    dx, dy, dz = m[0] - x[p], m[1] - y[p], m[2] - z[p]
                    xx, yy, zz = dx * dx, dy * dy, dz * dz
                    inverse = one / np.sqrt(xx + yy + zz)
                    square = inverse * inverse
                    first = m[4] * dx + m[5] * dy + m[6] * dz
                    second = m[7] * xx + m[8] * yy + m[9] * zz + m[10] * dx * dy + m[11] * dy * dz + m[12] * dz * dx
                    third = (
                        dx * (m[13] * xx + m[18] * yy + m[20] * zz)
                        + dy * (m[16] * xx + m[14] * yy + m[21] * zz)
                        + dz * (m[17] * xx + m[19] * yy + m[15] * zz)
                        + m[22] * dx * dy * dz
                    )
                    total[p] += (first + (second + third * square) * square) * (square * inverse)
                continue
            first_row, count = links[node, 0], links[node, 1]
            if count == 0:
                stack[top], stack[top + 1] = first_row, node + 1
                top += 2
            elif dipoles:
                for i in range(first_row, first_row + count):
                    t = rows[i]
                    for p in range(LANES):
                        dx, dy, dz = t[0] - x[p], t[1] - y[p], t[2] - z[p]
                        inverse = one / np.sqrt(dx * dx + dy * dy + dz * dz + tiny)
                        total[p] += np.float32(0.5) * (t[9] * dx + t[10] * dy + t[11] * dz) * (inverse * inverse * inverse)
            else:
                for i in range(first_row, first_row + count):
                    t = rows[i]
                    for p in range(LANES):
                        ax, ay, az = t[0] - x[p], t[1] - y[p], t[2] - z[p]
                        bx, by, bz = t[3] - x[p], t[4] - y[p], t[5] - z[p]
                        cx, cy, cz = t[6] - x[p], t[7] - y[p], t[8] - z[p]
                        ra = one / np.sqrt(ax * ax + ay * ay + az * az + tiny)
                        rb = one / np.sqrt(bx * bx + by * by + bz * bz + tiny)
                        rc = one / np.sqrt(cx * cx + cy * cy + cz * cz + tiny)
                        rab = ra * rb
                        s = (t[9] * ax + t[10] * ay + t[11] * az) * rab * rc
                        c = one + (ax * bx + ay * by + az * bz) * rab
                        c += ((bx * cx + by * cy + bz * cz) * rb + (cx * ax + cy * ay + cz * az) * ra) * rc
                        noise = c * c + s * s < np.float32(1e-12)
                        c = one if noise else c
                        s = zero if noise else s
                        r = re[p] * c - im[p] * s
                        q = re[p] * s + im[p] * c
                        # arg(z w) = arg z + arg w - 2 pi turns, from the half planes of z, w and z w
                        up = (im[p] >= zero) & (s >= zero) & (q < zero)
                        down = (im[p] < zero) & (s < zero) & (q >= zero)
                        turns[p] += (one if up else zero) - (one if down else zero)
                        re[p], im[p] = r, q
                for p in range(LANES):
                    inverse = one / (abs(re[p]) + abs(im[p]))
                    re[p] *= inverse
                    im[p] *= inverse
        for p in range(end - group):
            near = np.arctan2(im[p], re[p]) * np.float32(0.5 / np.pi) + turns[p]
            out[keys[group + p] & np.uint64(0xFFFFFFFF)] = near + total[p] * np.float32(0.25 / np.pi)
