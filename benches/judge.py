#!/usr/bin/env python3
"""Compares what Pictor decodes with what independent decoders say; prints a Markdown table.

Usage: judge.py CORPUS [FOLDER/NAME ...]   (run by `make judge`)

Independent decoders, none of which shares the code that decodes here (littlecms manages the colours):
pillow     Pillow with pillow-heif (PyPI), with ImageCms
vips       the libvips command line tool
avifdec, heif-convert, dwebp, djpeg, tifffile: for what the first two cannot read
A file passes if the size upright and the number of frames are right and the mean absolute error of every channel of
every frame, colours weighted with alpha, is at most 3 against one of them; what the others say differently is told.
"""

import io
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps, ImageSequence
import pillow_heif

pillow_heif.register_heif_opener()
Image.MAX_IMAGE_PIXELS = None
HERE = Path(__file__).resolve().parent.parent
JUDGE = HERE / "target/release/examples/judge"
FOLDERS = "jpeg png gif bmp webp heif avif tiff ico icc exif photos".split()
MOST = 3.0
SRGB = ImageCms.createProfile("sRGB")


class Absent(Exception):
    """A decoder does not read the file."""


def run(*command, seconds=120):
    done = subprocess.run([str(part) for part in command], capture_output=True, timeout=seconds)
    if done.returncode:
        raise Absent((done.stderr or done.stdout).decode(errors="replace").strip().splitlines()[-1:])
    return done.stdout


def ours(path, out=None):
    command = [JUDGE, path] + ([out] if out else [])
    done = subprocess.run([str(part) for part in command], capture_output=True, timeout=300)
    if done.returncode:
        return {"kind": "Crash", "error": f"exit {done.returncode}: {done.stderr.decode()[-200:]}", "ms": 0, "kib": 0}
    return json.loads(done.stdout)


def rgba(array):
    """Any channels of 8 bits as RGBA."""
    if array.ndim == 2:
        array = array[:, :, None]
    height, width, count = array.shape
    if count in (1, 2):
        array = np.concatenate([array[:, :, :1]] * 3 + [array[:, :, 1:]], axis=2)
    if array.shape[2] == 3:
        array = np.concatenate([array, np.full((height, width, 1), 255, np.uint8)], axis=2)
    return array


def managed(image, profile, name=""):
    """A Pillow image as RGBA in sRGB."""
    if image.mode.startswith("I") or image.mode == "F":
        data = np.asarray(image).astype(np.float64)
        image = Image.fromarray(np.clip(np.round(data / 257), 0, 255).astype(np.uint8))
    alpha = None
    if image.mode == "P" or "transparency" in image.info:
        image = image.convert("RGBA" if "transparency" in image.info or image.mode == "PA" else "RGB")
    if image.mode in ("1",):
        image = image.convert("L")
    if image.mode in ("RGBA", "LA"):
        alpha = np.asarray(image.getchannel("A"))
        image = image.convert(image.mode[:-1])
    if image.mode in ("YCbCr", "LAB", "HSV", "RGBX"):
        image = image.convert("RGB")
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            image = ImageCms.profileToProfile(image, source, SRGB, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass
    if image.mode == "CMYK":
        image = image.convert("RGB")
    array = rgba(np.asarray(image.convert("RGB")))
    if alpha is not None:
        array = array.copy()
        array[:, :, 3] = alpha
    return array


def pillow(path):
    with Image.open(path) as image:
        profile = image.info.get("icc_profile")
        if image.format == "ICO":
            # The largest, and of those the one with the most colours, as browsers have it; Pillow takes the fewest.
            entries = image.ico.entry
            best = max(range(len(entries)), key=lambda at: (entries[at].square, entries[at].bpp))
            yield managed(image.ico.frame(best), profile)
            return
        moves = image.format in ("GIF", "PNG", "WEBP", "AVIF") and getattr(image, "n_frames", 1) > 1
        if not moves:
            image.load()
            # HEIF and AVIF are upright already.
            upright = image if image.format in ("HEIF", "AVIF") else ImageOps.exif_transpose(image)
            if image.format == "AVIF":
                upright = ImageOps.exif_transpose(image)
            yield managed(upright, profile)
            return
        for frame in ImageSequence.Iterator(image):
            yield managed(frame.copy(), profile)


def vips(path):
    """A still picture, or all pages of an animation, one below the other."""
    with tempfile.TemporaryDirectory() as folder:
        a, b = f"{folder}/a.v", f"{folder}/b.png"
        moves = int(run("vipsheader", "-f", "n-pages", path) or 1) > 1 if path.suffix in (".gif", ".webp") else False
        source = f"{path}[n=-1]" if moves else str(path)
        run("vips", "autorot" if not moves else "copy", source, a)
        fields = run("vipsheader", "-a", a).decode()
        if "icc-profile-data" in fields or "cmyk" in fields:
            try:
                run("vips", "icc_transform", a, f"{folder}/c.v", "srgb", "--embedded", "--intent", "perceptual")
                a = f"{folder}/c.v"
            except Absent:
                pass
        fields = run("vipsheader", "-a", a).decode()
        if "rgb16" in fields or "grey16" in fields or "scrgb" in fields or "lab" in fields:
            run("vips", "colourspace", a, f"{folder}/d.v", "b-w" if "grey16" in fields else "srgb")
            a = f"{folder}/d.v"
        run("vips", "cast", a, f"{folder}/e.v", "uchar")
        run("vips", "pngsave", f"{folder}/e.v", b, "--strip", "--compression", "0")
        image = Image.open(b)
        image.load()
        array = managed(image, None)
        page = [line for line in fields.splitlines() if line.startswith("page-height:")]
        height = int(page[0].split()[1]) if moves and page else array.shape[0]
        for at in range(0, array.shape[0], height):
            yield array[at : at + height]


def tool(*command, rotate=False):
    def judge(path):
        with tempfile.TemporaryDirectory() as folder:
            out = f"{folder}/out.png"
            run(*[part.format(path=path, out=out) for part in command])
            with Image.open(out) as image:
                profile = image.info.get("icc_profile")
                yield managed(ImageOps.exif_transpose(image) if rotate else image, profile)

    return judge


def tifffile(path):
    import tifffile as library

    page = library.TiffFile(path).pages[0]
    data = page.asarray()
    if data.dtype.kind == "f":
        data = np.clip(data * 255 + 0.5, 0, 255).astype(np.uint8)
    elif data.dtype == np.uint16:
        data = np.round(data / 257).astype(np.uint8)
    yield rgba(data)


def imagecodecs(path):
    import imagecodecs as library

    data = library.imread(str(path))
    if data.dtype == np.uint16:
        # The frame header's second number: bits of a sample.
        at = next(at for at in range(2, 4096) if path.read_bytes()[at : at + 2] in (b"\xff\xc0", b"\xff\xc1", b"\xff\xc2", b"\xff\xc3"))
        data = np.round(data * (255 / (2 ** path.read_bytes()[at + 4] - 1))).astype(np.uint8)
    if data.dtype != np.uint8 or data.ndim not in (2, 3):
        raise Absent(f"{data.dtype} {data.shape}")
    yield rgba(data)


def gamma(path):
    """Pillow's pixels through the numbers of gAMA and cHRM, in floats."""
    with Image.open(path) as image:
        power, points = image.info.get("gamma"), image.info.get("chromaticity")
        if (not power and not points) or "icc_profile" in image.info or "srgb" in image.info:
            raise Absent("no gAMA or cHRM that counts")
        image.load()
        array = managed(image, None).astype(np.float64)
    light = array[:, :, :3] / 255
    light = light ** (1 / power) if power and abs(power - 0.45455) > 0.02 else np.where(
        light <= 0.04045, light / 12.92, ((light + 0.055) / 1.055) ** 2.4)
    if points:
        def matrix(numbers):
            white, *rest = [np.array([x / y, 1, (1 - x - y) / y]) for x, y in zip(numbers[::2], numbers[1::2])]
            rest = np.array(rest).T
            return rest * np.linalg.solve(rest, white), white

        bradford = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
        source, white = matrix(points)
        target, d65 = matrix([0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06])
        adapt = np.linalg.inv(bradford) @ np.diag((bradford @ d65) / (bradford @ white)) @ bradford
        light = np.clip(light @ (np.linalg.inv(target) @ adapt @ source).T, 0, 1)
    light = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    array[:, :, :3] = np.round(light * 255)
    yield array.astype(np.uint8)


def cropped(path):
    """Pillow's (libavif's) picture, which it does not crop, cropped by the file's clap box."""
    data = path.read_bytes()
    at = data.find(b"clap") + 4
    if at < 4:
        raise Absent("no clap box")
    width, _, height, _, across, by, down, of = np.frombuffer(data, ">i4", 8, at).astype(float)
    with Image.open(path) as image:
        left = round((image.width - width) / 2 + across / by)
        top = round((image.height - height) / 2 + down / of)
        image.load()
        part = image.crop((left, top, left + int(width), top + int(height)))
        part.info, part._exif = image.info, None
        part = ImageOps.exif_transpose(part)
    yield managed(part, None)


def ffmpeg(path):
    """FFmpeg, which leaves free what no frame covers, as browsers do."""
    import av

    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgba")


JUDGES = {"pillow": pillow, "vips": vips}
OTHERS = {
    ".png": {"pillow + gAMA, cHRM": gamma},
    ".gif": {"ffmpeg": ffmpeg},
    ".avif": {"pillow + clap": cropped, "avifdec": tool("avifdec", "--jobs", "2", "{path}", "{out}")},
    ".avifs": {"avifdec": tool("avifdec", "{path}", "{out}")},
    ".heif": {"heif-convert": tool("heif-convert", "{path}", "{out}")},
    ".heic": {"heif-convert": tool("heif-convert", "{path}", "{out}")},
    ".webp": {"dwebp": tool("dwebp", "{path}", "-o", "{out}")},
    ".tif": {"tifffile": tifffile},
    ".tiff": {"tifffile": tifffile},
    ".jpg": {"imagecodecs": imagecodecs},
}


def error(mine, theirs):
    """The largest mean absolute error of a channel, colours weighted with alpha. In bands, so that memory stays small."""
    if mine.shape[:2] != theirs.shape[:2]:
        return None
    total = np.zeros(4)
    for at in range(0, mine.shape[0], 256):
        a, b = (rgba(np.asarray(part[at : at + 256])).astype(np.float32) for part in (mine, theirs))
        for part in (a, b):
            part[:, :, :3] *= part[:, :, 3:] / 255
        total += np.abs(a - b).sum(axis=(0, 1), dtype=np.float64)
    return float((total / (mine.shape[0] * mine.shape[1])).max())


def compare(judge, path, said, raw):
    """(frames, worst error, problem)"""
    size = said["height"] * said["width"] * said["channels"]
    count, worst = 0, 0.0
    for count, theirs in enumerate(judge(path), 1):
        if count > len(said["delays"]):
            continue
        mine = raw[(count - 1) * size : count * size].reshape(said["height"], said["width"], said["channels"])
        one = error(mine, theirs)
        if one is None:
            return count, None, f"{theirs.shape[1]}x{theirs.shape[0]}, ours {said['width']}x{said['height']}"
        worst = max(worst, one)
    if count != len(said["delays"]):
        return count, worst, f"{count} frames, ours {len(said['delays'])} (error {worst:.2f})"
    return count, worst, None if worst <= MOST else f"error {worst:.2f}"


def judged(path, scratch):
    """(passed, word, error)"""
    said = ours(path, scratch)
    verdicts, refused = {}, {}
    raw = None if "error" in said else np.memmap(scratch, np.uint8, "r")
    for name, judge in {**JUDGES, **OTHERS.get(path.suffix, {})}.items():
        if name not in JUDGES and any(problem is None for _, _, problem in verdicts.values()):
            continue
        try:
            if raw is None:
                verdicts[name] = (sum(1 for _ in judge(path)), None, "reads it")
            else:
                verdicts[name] = compare(judge, path, said, raw)
        except Exception as problem:  # whatever a decoder says of a file
            refused[name] = f"{type(problem).__name__} {problem}"[:120]
    if raw is None:
        readers = ", ".join(verdicts)
        return ("fail" if readers else "apart"), f"ours: {said['error']}; read by: {readers or 'none'}", None
    agreed = [name for name, (_, _, problem) in verdicts.items() if problem is None]
    # A tool that shows the first frame only is no judge of a moving picture.
    if path.suffix in (".avif", ".avifs", ".gif", ".webp", ".png"):
        most = max((count for count, _, _ in verdicts.values()), default=0)
        agreed = [name for name in agreed if verdicts[name][0] == most]
    against = "; ".join(f"{name}: {problem}" for name, (_, _, problem) in verdicts.items() if problem)
    worst = min((verdicts[name][1] for name in agreed), default=None)
    if agreed:
        return "pass", against, worst
    if not verdicts:
        return "apart", f"read by none ({refused}); ours: {said['width']}x{said['height']}, {len(said['delays'])} frames", None
    return "fail", against, None


def bad(root):
    slowest, largest, decoded, faults, count = ("", 0), ("", 0), 0, [], 0
    for path in sorted(root.iterdir()):
        said = ours(path)
        count += 1
        decoded += "error" not in said
        slowest = max(slowest, (path.name, said["ms"]), key=lambda pair: pair[1])
        largest = max(largest, (path.name, said["kib"]), key=lambda pair: pair[1])
        if said.get("kind") in ("Crash", "Internal", "OutOfMemory"):
            faults.append(f"{path.name}: {said['error']}")
    print(f"| bad | {count} | {count - len(faults)} | {decoded} decode, the others are refused; slowest {slowest[0]}"
          f" {slowest[1]:.0f} ms; most memory {largest[0]} {largest[1] / 1024:.0f} MiB |")
    return faults


def main():
    root = Path(sys.argv[1]).resolve()
    chosen = sys.argv[2:]
    scratch = tempfile.NamedTemporaryFile(dir=os.environ.get("TMPDIR", "/var/tmp"))
    failures, apart, notes, worst = [], [], [], {}
    print("| folder | files | passed | largest error |\n| --- | --- | --- | --- |")
    for folder in FOLDERS:
        files = sorted(path for path in (root / folder).rglob("*") if path.is_file())
        if chosen:
            files = [path for path in files if any(word in str(path) for word in chosen)]
        if not files:
            continue
        passed, top = 0, (0.0, "")
        aside = 0
        for path in files:
            name = str(path.relative_to(root))
            verdict, text, value = judged(path, scratch.name)
            if verdict == "pass":
                passed += 1
                top = max(top, (value, path.name))
                if text:
                    notes.append(f"- {name}: {text}")
            elif verdict == "apart":
                aside += 1
                apart.append(f"- {name}: {text}")
            else:
                failures.append(f"- {name}: {text}")
        print(f"| {folder} | {len(files) - aside} | {passed} | {top[0]:.2f} ({top[1]}) |", flush=True)
    if not chosen:
        print("\n| folder | files | bounded | |\n| --- | --- | --- | --- |")
        failures += bad(root / "bad")
    for title, lines in (("Failures", failures), ("Read by no independent decoder", apart), ("Judges that disagree", notes)):
        print(f"\n{title}: {len(lines)}\n" + "\n".join(lines))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
