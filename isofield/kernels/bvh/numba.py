"""The compiled kernels of the tree: nodes, rows of triangles, the order of queries, nearest points.

Coordinates are those of the tree, all within [-1, 1]. `LANES` queries go through the tree together. The
loops over the lanes are those that must become vector instructions: they have a constant length, no
branches and nothing wider than 32 bits.
"""

import numpy as np
from numba import njit

__all__ = ["LANES", "PAD", "build_nodes", "curve_keys", "nearest", "triangle_rows"]

LANES = 32  # queries in a group
LEAF = 6  # primitives in a leaf, at most
BINS = 16  # places where a node may be cut
PAD = 1e-6  # boxes are wider than their primitives by this: more than the rounding of a distance in float32


@njit(nogil=True, cache=True, error_model="numpy")
def build_nodes(bounds, order, boxes, links):
    """Build the tree from the root down and return its number of nodes.

    A node is cut across its longest axis at one of BINS places where the sum of (surface area * primitives)
    of the two parts is smallest (Wald 2007, "On fast construction of SAH-based bounding volume
    hierarchies"). Nodes are written in depth-first order. bounds: float32 [F, 6], lower and upper corner of
    each primitive; permuted with order, int32 [F]. boxes: float32 [2 F, 6], links: int32 [2 F, 2]: written.
    """
    stack = np.empty((256, 3), np.int64)
    count_of = np.empty(BINS, np.int64)
    low_of = np.empty((BINS, 3), np.float32)
    high_of = np.empty((BINS, 3), np.float32)
    area_above = np.empty(BINS, np.float64)
    low = np.empty(3, np.float32)
    high = np.empty(3, np.float32)
    least, most = np.float32(-1e30), np.float32(1e30)
    stack[0, 0], stack[0, 1], stack[0, 2] = 0, order.shape[0], -1
    top, nodes = 1, 0
    while top > 0:
        top -= 1
        start, stop, parent = stack[top, 0], stack[top, 1], stack[top, 2]
        node = nodes
        nodes += 1
        if parent >= 0:
            links[parent, 0] = node
        widest, axis, origin = least, 0, np.float32(0.0)
        for k in range(3):
            lo, hi, centre_lo, centre_hi = (
                most,
                least,
                most,
                least,
            )  # centres are doubled: lower plus upper bound
            for i in range(start, stop):
                a, b = bounds[i, k], bounds[i, k + 3]
                lo, hi = min(lo, a), max(hi, b)
                centre_lo, centre_hi = min(centre_lo, a + b), max(centre_hi, a + b)
            boxes[node, k], boxes[node, k + 3] = lo, hi
            if centre_hi - centre_lo > widest:
                widest, axis, origin = centre_hi - centre_lo, k, centre_lo
        if stop - start <= LEAF:
            links[node, 0], links[node, 1] = start, stop - start
            continue
        links[node, 1] = 0
        middle = start
        # The stack holds one range a level; should cuts ever be very uneven, halving keeps it short.
        if widest > 0 and top < 128:
            scale = np.float32(BINS * 0.9999) / widest
            for b in range(BINS):
                count_of[b] = 0
                for k in range(3):
                    low_of[b, k], high_of[b, k] = most, least
            for i in range(start, stop):
                b = int((bounds[i, axis] + bounds[i, axis + 3] - origin) * scale)
                count_of[b] += 1
                for k in range(3):
                    low_of[b, k] = min(low_of[b, k], bounds[i, k])
                    high_of[b, k] = max(high_of[b, k], bounds[i, k + 3])
            best_cost, cut = 1e300, 0
            for sweep in range(2):  # from above, then from below
                for k in range(3):
                    low[k], high[k] = most, least
                count = 0
                for step in range(BINS - 1):
                    b = BINS - 1 - step if sweep == 0 else step
                    count += count_of[b]
                    for k in range(3):
                        low[k], high[k] = min(low[k], low_of[b, k]), max(high[k], high_of[b, k])
                    area = 0.0
                    if count > 0:
                        x, y, z = high[0] - low[0], high[1] - low[1], high[2] - low[2]
                        area = (x * y + y * z + z * x) * count
                    if sweep == 0:
                        area_above[b] = area
                    elif area + area_above[b + 1] < best_cost and 0 < count < stop - start:
                        best_cost, cut = area + area_above[b + 1], b
            i, j = start, stop - 1
            while i <= j:
                if int((bounds[i, axis] + bounds[i, axis + 3] - origin) * scale) <= cut:
                    i += 1
                else:
                    for k in range(6):
                        bounds[i, k], bounds[j, k] = bounds[j, k], bounds[i, k]
                    order[i], order[j] = order[j], order[i]
                    j -= 1
            middle = i
        if middle in (start, stop):  # all centres in one place
            middle = (start + stop) // 2
        stack[top, 0], stack[top, 1], stack[top, 2] = middle, stop, node
        stack[top + 1, 0], stack[top + 1, 1], stack[top + 1, 2] = start, middle, -1
        top += 2
    return nodes


@njit(nogil=True, cache=True, error_model="numpy")
def triangle_rows(start, stop, vertices, faces, order, rows):
    """Write rows[start:stop]: corners a, b, c (ab the longest edge), area vector ab x ac, frame, b, c in it.

    The frame has its origin at a, u along ab, v in the plane towards c, and the unit normal; then b =
    (length, 0), c = (cx, cy). vertices: float64 [V, 3] in tree coordinates. A triangle without area gets
    any normal that is orthogonal to ab.
    """
    for i in range(start, stop):
        face = order[i]
        a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
        ab = bc = ca = 0.0
        for k in range(3):
            pa, pb, pc = vertices[a, k], vertices[b, k], vertices[c, k]
            ab += (pb - pa) * (pb - pa)
            bc += (pc - pb) * (pc - pb)
            ca += (pa - pc) * (pa - pc)
        if bc > ab and bc >= ca:
            a, b, c = b, c, a
        elif ca > ab:
            a, b, c = c, a, b
        for k in range(3):
            rows[i, k], rows[i, 3 + k], rows[i, 6 + k] = vertices[a, k], vertices[b, k], vertices[c, k]
        ux, uy, uz = (
            vertices[b, 0] - vertices[a, 0],
            vertices[b, 1] - vertices[a, 1],
            vertices[b, 2] - vertices[a, 2],
        )
        ex, ey, ez = (
            vertices[c, 0] - vertices[a, 0],
            vertices[c, 1] - vertices[a, 1],
            vertices[c, 2] - vertices[a, 2],
        )
        nx, ny, nz = uy * ez - uz * ey, uz * ex - ux * ez, ux * ey - uy * ex
        rows[i, 9], rows[i, 10], rows[i, 11] = nx, ny, nz
        length, area = np.sqrt(ux * ux + uy * uy + uz * uz), np.sqrt(nx * nx + ny * ny + nz * nz)
        if length > 0.0:
            ux, uy, uz = ux / length, uy / length, uz / length
        else:
            ux, uy, uz = 1.0, 0.0, 0.0
        if area <= 1e-12 * length * length:
            if abs(ux) <= abs(uy) and abs(ux) <= abs(uz):
                nx, ny, nz = 0.0, uz, -uy
            elif abs(uy) <= abs(uz):
                nx, ny, nz = -uz, 0.0, ux
            else:
                nx, ny, nz = uy, -ux, 0.0
            area = np.sqrt(nx * nx + ny * ny + nz * nz)
        nx, ny, nz = nx / area, ny / area, nz / area
        vx, vy, vz = ny * uz - nz * uy, nz * ux - nx * uz, nx * uy - ny * ux
        rows[i, 12], rows[i, 13], rows[i, 14] = ux, uy, uz
        rows[i, 15], rows[i, 16], rows[i, 17] = vx, vy, vz
        rows[i, 18], rows[i, 19], rows[i, 20] = nx, ny, nz
        rows[i, 21] = length
        rows[i, 22] = ex * ux + ey * uy + ez * uz
        rows[i, 23] = max(ex * vx + ey * vy + ez * vz, 0.0)


@njit(nogil=True, cache=True)
def _spread(c):
    """The ten bits of c with two zeros between neighbours."""
    c = (c | (c << 16)) & 0x030000FF
    c = (c | (c << 8)) & 0x0300F00F
    c = (c | (c << 4)) & 0x030C30C3
    return (c | (c << 2)) & 0x09249249


@njit(nogil=True, cache=True)
def curve_keys(start, stop, points, low, scale, keys):
    """Write keys[start:stop]: the place on the Hilbert curve of 1024^3 cells (Skilling 2004) above the index.

    Compared with the simpler Z-order, groups of neighbours are compact, which saves a third of the time of
    the winding numbers. keys: uint64 [N].
    """
    x = np.empty(LANES, np.int64)
    y = np.empty(LANES, np.int64)
    z = np.empty(LANES, np.int64)
    zero, last = np.float32(0.0), np.float32(1023.0)
    for group in range(start, stop, LANES):
        lanes = min(LANES, stop - group)
        for p in range(lanes):
            i = group + p
            x[p] = np.int64(min(max((points[i, 0] - low[0]) * scale, zero), last))
            y[p] = np.int64(min(max((points[i, 1] - low[1]) * scale, zero), last))
            z[p] = np.int64(min(max((points[i, 2] - low[2]) * scale, zero), last))
        # From large octants to small: reflect x, or swap two axes, in all that is below. Masks, since
        # branches would be taken at random.
        for bit in range(9, 0, -1):
            below = (1 << bit) - 1
            for p in range(lanes):
                cx, cy, cz = x[p], y[p], z[p]
                cx ^= below & -((cx >> bit) & 1)
                mask = -((cy >> bit) & 1)
                swap = (cx ^ cy) & below & ~mask
                cx, cy = cx ^ swap ^ (below & mask), cy ^ swap
                mask = -((cz >> bit) & 1)
                swap = (cx ^ cz) & below & ~mask
                x[p], y[p], z[p] = cx ^ swap ^ (below & mask), cy, cz ^ swap
        for p in range(lanes):
            cx = x[p]
            cy = y[p] ^ cx
            cz = z[p] ^ cy
            turn = cz ^ (cz >> 1)  # the parity of all bits from here upwards
            turn ^= turn >> 2
            turn ^= turn >> 4
            turn = (turn ^ (turn >> 8)) >> 1
            code = _spread(cx ^ turn) << 2 | _spread(cy ^ turn) << 1 | _spread(cz ^ turn)
            keys[group + p] = np.uint64(code << 32 | (group + p))


@njit(nogil=True, cache=True, error_model="numpy")
def project(points, i, vertices, faces, face, closest):
    """Write the point of one triangle closest to points[i] and return its distance, in float64.

    The best of the three edges and, where it is inside, the foot on the plane (barycentric coordinates as
    in Ericson 2004, section 5.1.5). Every candidate is a point of the triangle whatever the rounding, so
    slivers do no harm.
    """
    a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
    d1 = d2 = d3 = d4 = d5 = d6 = 0.0
    for k in range(3):
        pa, pb, pc, p = vertices[a, k], vertices[b, k], vertices[c, k], points[i, k]
        d1 += (pb - pa) * (p - pa)
        d2 += (pc - pa) * (p - pa)
        d3 += (pb - pa) * (p - pb)
        d4 += (pc - pa) * (p - pb)
        d5 += (pb - pa) * (p - pc)
        d6 += (pc - pa) * (p - pc)
    u, v, w = d3 * d6 - d5 * d4, d5 * d2 - d1 * d6, d1 * d4 - d3 * d2
    least = np.inf
    for candidate in range(4):
        s = t = 0.0
        if candidate == 0 and d1 > 0.0:  # ab
            s = min(d1 / (d1 - d3), 1.0)
        elif candidate == 1 and d2 > 0.0:  # ac
            t = min(d2 / (d2 - d6), 1.0)
        elif candidate == 2:  # bc
            t = min((d4 - d3) / ((d4 - d3) + (d5 - d6)), 1.0) if d4 > d3 else 0.0
            s = 1.0 - t
        elif candidate == 3 and u > 0.0 and v > 0.0 and w > 0.0:
            s, t = v / (u + v + w), w / (u + v + w)
        qx = vertices[a, 0] + s * (vertices[b, 0] - vertices[a, 0]) + t * (vertices[c, 0] - vertices[a, 0])
        qy = vertices[a, 1] + s * (vertices[b, 1] - vertices[a, 1]) + t * (vertices[c, 1] - vertices[a, 1])
        qz = vertices[a, 2] + s * (vertices[b, 2] - vertices[a, 2]) + t * (vertices[c, 2] - vertices[a, 2])
        dx, dy, dz = points[i, 0] - qx, points[i, 1] - qy, points[i, 2] - qz
        square = dx * dx + dy * dy + dz * dz
        if square < least:
            least = square
            closest[i, 0], closest[i, 1], closest[i, 2] = qx, qy, qz
    return np.sqrt(least)


@njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def nearest(
    start,
    stop,
    keys,
    points,
    centre,
    scale,
    reach,
    boxes,
    links,
    rows,
    vertices,
    faces,
    order,
    limit,
    distance,
    face,
    closest,
):
    """Write distance, face and closest point of the queries keys[start:stop], start a multiple of LANES.

    The group walks down to the nearer child first; a node is needed while any lane may find something
    nearer there. Of equally near triangles the first row is taken, so that the answer does not depend on
    the lane's neighbours. The winner's distance is computed once more in float64. reach: the limit in tree
    coordinates.
    """
    x = np.empty(LANES, np.float32)
    y = np.empty(LANES, np.float32)
    z = np.empty(LANES, np.float32)
    best = np.empty(LANES, np.float32)  # squared distance
    found = np.empty(LANES, np.int32)  # row
    stack = np.empty(256, np.int64)
    zero, one, tiny = np.float32(0.0), np.float32(1.0), np.float32(1e-30)
    slack = np.float32(1.000002)
    for group in range(start, stop, LANES):
        lanes = min(LANES, stop - group)
        mx = my = mz = zero
        for p in range(LANES):
            i = keys[group + min(p, lanes - 1)] & np.uint64(0xFFFFFFFF)
            x[p] = (points[i, 0] - centre[0]) * scale
            y[p] = (points[i, 1] - centre[1]) * scale
            z[p] = (points[i, 2] - centre[2]) * scale
            mx, my, mz = mx + x[p], my + y[p], mz + z[p]
            best[p], found[p] = reach * reach, -1
        mx, my, mz = mx / np.float32(LANES), my / np.float32(LANES), mz / np.float32(LANES)
        stack[0] = 0
        top = 1
        while top > 0:
            top -= 1
            node = stack[top]
            b = boxes[node]
            needed = zero  # a float: the loop would not be vectorised over a wider counter
            for p in range(LANES):
                dx = max(max(b[0] - x[p], x[p] - b[3]), zero)
                dy = max(max(b[1] - y[p], y[p] - b[4]), zero)
                dz = max(max(b[2] - z[p], z[p] - b[5]), zero)
                needed += one if dx * dx + dy * dy + dz * dz <= best[p] * slack else zero
            if needed == zero:
                continue
            first, count = links[node, 0], links[node, 1]
            if count == 0:
                b = boxes[node + 1]
                dx = max(max(b[0] - mx, mx - b[3]), zero)
                dy = max(max(b[1] - my, my - b[4]), zero)
                dz = max(max(b[2] - mz, mz - b[5]), zero)
                left = dx * dx + dy * dy + dz * dz
                b = boxes[first]
                dx = max(max(b[0] - mx, mx - b[3]), zero)
                dy = max(max(b[1] - my, my - b[4]), zero)
                dz = max(max(b[2] - mz, mz - b[5]), zero)
                if left <= dx * dx + dy * dy + dz * dz:
                    stack[top], stack[top + 1] = first, node + 1
                else:
                    stack[top], stack[top + 1] = node + 1, first
                top += 2
                continue
            for i in range(first, first + count):
                row = np.int32(i)
                t = rows[i]
                length, cx, cy = t[21], t[22], t[23]
                bx = cx - length
                over_ac, over_bc = one / (cx * cx + cy * cy + tiny), one / (bx * bx + cy * cy + tiny)
                for p in range(LANES):
                    ax, ay, az = x[p] - t[0], y[p] - t[1], z[p] - t[2]
                    u = ax * t[12] + ay * t[13] + az * t[14]
                    v = ax * t[15] + ay * t[16] + az * t[17]
                    h = ax * t[18] + ay * t[19] + az * t[20]
                    w = u - length
                    du = u - min(max(u, zero), length)  # edge ab
                    d = du * du + v * v
                    s = min(max((u * cx + v * cy) * over_ac, zero), one)
                    du, dv = u - s * cx, v - s * cy
                    d = min(d, du * du + dv * dv)
                    s = min(max((w * bx + v * cy) * over_bc, zero), one)
                    du, dv = w - s * bx, v - s * cy
                    d = min(d, du * du + dv * dv)
                    inside = (v > zero) & (u * cy > v * cx) & (w * cy < v * bx)
                    d = (zero if inside else d) + h * h
                    better = (d < best[p]) | ((d == best[p]) & (row < found[p]))
                    best[p] = d if better else best[p]
                    found[p] = row if better else found[p]
        for p in range(lanes):
            i = keys[group + p] & np.uint64(0xFFFFFFFF)
            if found[p] >= 0:
                face[i] = order[found[p]]
                distance[i] = min(project(points, i, vertices, faces, face[i], closest), limit)
            else:
                distance[i], face[i] = limit, -1
                for k in range(3):
                    closest[i, k] = points[i, k]
