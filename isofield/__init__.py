"""isofield: shapes, scenes, materials and motion as continuous neural fields."""

import os as _os

# Before any numerical library starts its threads: waiting threads should sleep, and a small matrix product inside one of our
# own threads should not start more. A setting of the user's own wins.
_os.environ.setdefault("OMP_WAIT_POLICY", "passive")
_os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = "0.1.0"
