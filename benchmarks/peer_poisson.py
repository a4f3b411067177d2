"""Screened Poisson reconstruction by open3d, as a program: peer_poisson.py POINTS.ply MESH.ply DEPTH. Prints
the seconds of the solver."""

import sys
import time

NEIGHBOURS = 30


def main(source: str, target: str, depth: int) -> None:
    """Read points with normals or without, reconstruct, write the mesh."""
    import open3d  # ends with an import error where it is missing: the benchmark says what to install

    points = open3d.io.read_point_cloud(source)
    start = time.perf_counter()
    if not points.has_normals():
        points.estimate_normals(open3d.geometry.KDTreeSearchParamKNN(NEIGHBOURS))
        points.orient_normals_consistent_tangent_plane(NEIGHBOURS)
    mesh, _ = open3d.geometry.TriangleMesh.create_from_point_cloud_poisson(points, depth=depth)
    print(time.perf_counter() - start)
    open3d.io.write_triangle_mesh(target, mesh)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
