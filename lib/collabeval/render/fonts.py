"""Source Sans Pro, regular and semibold: whole for Typst, a Latin subset inside the style sheet for HTML."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import os
import shutil
from importlib.resources import files
from pathlib import Path

from collabeval import compile_cache

WEIGHTS = {"Regular": 400, "Semibold": 600}
FEATURES = ("kern", "liga", "tnum", "pnum", "lnum")
PUNCTUATION = "–—‘’‚“”„•…′″←→−≤≥≈÷×€™"
CHARACTERS = (*range(0x20, 0x7F), *range(0xA0, 0x180), *(ord(character) for character in PUNCTUATION))


def font_files() -> dict[str, Path]:
    """Return the font files of the package `font-source-sans-pro`, by the name of their weight."""
    folder = Path(str(files("font_source_sans_pro"))) / "files"
    return {weight: folder / f"SourceSansPro-{weight}.ttf" for weight in WEIGHTS}


def install(folder: Path, style_sheet: Path) -> None:
    """Put the font files (and their licence) into `folder` and write the style sheet that carries the Latin subset."""
    folder.mkdir(parents=True, exist_ok=True)
    faces = []
    for weight, font in font_files().items():
        shutil.copy(font, folder / font.name)
        data = base64.b64encode(latin_subset(font)).decode()
        source = f"url(data:font/woff2;base64,{data}) format('woff2')"
        faces.append(f"@font-face{{font-family:'Source Sans Pro';font-weight:{WEIGHTS[weight]};src:{source}}}\n")
    shutil.copy(font.parent / "LICENSE.txt", folder / "LICENSE.txt")
    style_sheet.write_text("".join(faces), encoding="utf-8")


def latin_subset(font: Path) -> bytes:
    """Return the font reduced to Latin letters and the report's punctuation, as woff2 (about 14 kB).

    Subsetting takes a second, so the result is kept where compiled models are, by the digest of all it rests on.
    """
    recipe = font.read_bytes() + repr((CHARACTERS, FEATURES)).encode()
    cache = compile_cache.folder()
    kept = cache / f"{font.stem}-{hashlib.sha256(recipe).hexdigest()[:16]}.woff2"
    if kept.exists():
        return kept.read_bytes()
    subset = _subset(font)
    with contextlib.suppress(OSError):  # a home folder that cannot be written to only costs the second again
        cache.mkdir(parents=True, exist_ok=True)
        part = kept.with_suffix(f".{os.getpid()}")
        part.write_bytes(subset)
        part.replace(kept)
    return subset


def _subset(font: Path) -> bytes:
    from fontTools import subset

    options = subset.Options(flavor="woff2", layout_features=list(FEATURES), hinting=False)
    loaded = subset.load_font(str(font), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=CHARACTERS)
    subsetter.subset(loaded)
    target = io.BytesIO()
    subset.save_font(loaded, target, options)
    return target.getvalue()
