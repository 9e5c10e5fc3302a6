"""Tests in this folder use the helpers that lie in `tests/`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
