"""The `course` command: all that is done from the command line."""

import argparse
import errno
import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HELP = "the whole course; COURSE_DEBUG=1 shows the traceback of an error"


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0 where all went well, 2 for an error in one sentence, 130 stopped."""
    chosen = _parser().parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):  # names and prompts may not fit its encoding
        sys.stdout.reconfigure(errors="backslashreplace")
    with _interrupts() as seen:
        try:
            return chosen.run(chosen)
        except KeyboardInterrupt:
            return _stopped(chosen.command)
        except Exception as error:
            if os.environ.get("COURSE_DEBUG") == "1":
                raise
            if seen:
                return _stopped(chosen.command)
            print(f"course {chosen.command}: {sentence(error)}", file=sys.stderr)
            return 2


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """Ctrl-C so far; libraries that it meets in their import may raise an error of their own."""
    seen: list[int] = []

    def noted(number, frame) -> None:
        seen.append(number)
        signal.default_int_handler(number, frame)

    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not usual or threading.current_thread() is not threading.main_thread():
        yield seen
        return
    signal.signal(signal.SIGINT, noted)
    try:
        yield seen
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _stopped(command: str) -> int:
    coding = command in ("encode", "decode", "generate")
    left = "Nothing was written." if coding else "The same command goes on from here."
    print(f"\nStopped. {left}", file=sys.stderr)
    return 130


def sentence(error: Exception) -> str:
    """An exception as one line for people."""
    if isinstance(error, OSError) and error.__cause__ is not None and error.strerror:
        return error.strerror  # the system's error, told again by whoever knows what was meant
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "The disk is full: free some space, or set COURSE_CACHE and COURSE_HOME elsewhere."
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        name = Path(error.filename or "").name
        return f"A name of {len(name)} letters ({name[:20]}…) is too long here: give a shorter one."
    if isinstance(error, OSError) and error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        where = error.filename or "a folder"
        return f"{where} can't be written: set COURSE_CACHE or COURSE_HOME to a folder of your own."
    if isinstance(error, UnicodeEncodeError):
        return f"{error.object!r:.60} holds what {error.encoding} has no letter for: rename it."
    told = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    told = " ".join(told.split()) or type(error).__name__
    expected = isinstance(error, ValueError | TypeError | LookupError | OSError | ImportError)
    if expected or type(error).__module__.startswith("course_lib"):
        return told
    return f"{type(error).__name__}: {told} (COURSE_DEBUG=1 shows where)"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="course", description=HELP)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    data = commands.add_parser("data", help="render the songbook into the cache")
    data.add_argument("--size", default="quick", help="quick (default), full or shipped")
    data.set_defaults(run=_data)

    run = commands.add_parser("run", help="execute the notebooks, write one page to listen from")
    run.add_argument("notebooks", nargs="*", metavar="NB", help="numbers, by default all: 00 03b")
    run.add_argument("--profile", help="quick (default) or full")
    run.set_defaults(run=_run)

    train = commands.add_parser("train", help="train an artefact by its recipe, or go on")
    train.add_argument("name", metavar="NAME")
    train.add_argument("--size", help="another songbook size: quick, full, shipped")
    train.add_argument("--steps", type=_positive, help="other than the recipe's steps")
    train.add_argument("--device", help="cpu, cuda, …; by default what there is")
    train.add_argument("--mine", action="store_true", help="keep it among your own work")
    train.set_defaults(run=_train)

    table = commands.add_parser("table", help="compute a paper's table at the course's scale")
    table.add_argument("name", metavar="NAME")
    table.add_argument("--device", help="cpu, cuda, …; by default what there is")
    table.set_defaults(run=_table)

    encode = commands.add_parser("encode", help="a sound file becomes a small codec file")
    encode.add_argument("source", metavar="IN", type=Path, help="WAV, FLAC, OGG, Opus or MP3")
    encode.add_argument("target", metavar="OUT", type=Path, nargs="?", help="by default IN.codec")
    encode.add_argument("-b", metavar="KBPS", type=_above_0, help="kbit/s, by default the most")
    encode.add_argument("--lm", action="store_true", help="fewer bytes by a language model, slow")
    encode.add_argument("-f", action="store_true", help="overwrite OUT")
    encode.set_defaults(run=_encode)

    decode = commands.add_parser("decode", help="a codec file becomes a sound file again")
    decode.add_argument("source", metavar="IN", type=Path, help="from course encode")
    decode.add_argument("target", metavar="OUT", type=Path, nargs="?", help="by default IN.wav")
    decode.add_argument("-f", action="store_true", help="overwrite OUT")
    decode.set_defaults(run=_decode)

    generate = commands.add_parser("generate", help="a sentence becomes music")
    generate.add_argument("prompt", metavar="PROMPT", help="such as 'a slow waltz with a flute'")
    generate.add_argument("-o", metavar="OUT", type=Path, default=Path("music.wav"), dest="target")
    generate.add_argument("--seconds", type=_above_0, default=8.0, help="by default 8")
    generate.add_argument(
        "--model", choices=("musicgen", "diffusion"), default="musicgen",
        help="what makes it: tokens one after the other, or latents out of noise",
    )  # fmt: skip
    generate.add_argument("--melody", metavar="IN", type=Path, help="a sound file to be followed")
    generate.add_argument("--seed", type=_from_0, help="the same seed, the same music")
    generate.add_argument("--mine", action="store_true", help="by the model that you trained")
    generate.add_argument("-f", action="store_true", help="overwrite OUT")
    generate.set_defaults(run=_generate)

    check = commands.add_parser("check", help="run a notebook, say how each exercise stands")
    check.add_argument("notebook", metavar="NOTEBOOK", type=Path)
    check.set_defaults(run=_check)

    grade = commands.add_parser(
        "grade", help="grade a folder of homework; 'grade build' makes what is handed out",
        usage="course grade build [N ...] [--seed-file F] [--out DIR]\n"
        "       course grade FOLDER [--seed-file F] [--manual CSV] [--out DIR] [--yes]",
    )  # fmt: skip
    grade.add_argument("what", nargs="+", metavar="FOLDER", help="or: build and numbers, as 1 3")
    grade.add_argument("--seed-file", metavar="F", type=Path, help="the instructor's secret")
    grade.add_argument("--manual", metavar="CSV", type=Path, help="points given by hand")
    grade.add_argument("--out", metavar="DIR", type=Path, help="by default editions or graded")
    grade.add_argument("--yes", action="store_true", help="also where isolation is missing")
    grade.set_defaults(run=_grade)

    doctor = commands.add_parser("doctor", help="versions, device, disk, and what to do")
    doctor.add_argument("--fix", action="store_true", help="mend torchaudio beside a CPU torch")
    doctor.set_defaults(run=_doctor)

    stamp = commands.add_parser("stamp", help="write the public address into cells and badges")
    stamp.add_argument("place", nargs="?", metavar="OWNER/NAME", help="by default as before")
    stamp.set_defaults(run=_stamp)

    album = commands.add_parser("album", help="one offline page of all sounds of yours")
    album.set_defaults(run=_album)

    listen = commands.add_parser("listen", help="pool the blind tests of a class")
    listen.add_argument("what", choices=("merge",), help="merge")
    listen.add_argument("folder", metavar="FOLDER", type=Path, help="with a folder a listener")
    listen.set_defaults(run=_listen)
    return parser


def _data(chosen) -> int:
    from course_lib import songbook
    from course_lib.notebook.names import choose

    choose(chosen.size, songbook.SIZES, "size")
    for split in ("train", "validation", "test"):
        book = songbook.load(split, size=chosen.size, progress=sys.stderr.isatty())
        print(f"{split}: {len(book)} clips of {book.seconds:g} s")
    return 0


def _run(chosen) -> int:
    from course_lib.notebook import course

    print(f"To listen from: {course.run(chosen.notebooks, chosen.profile)}")
    return 0


def _train(chosen) -> int:
    from course_lib import recipes, songbook
    from course_lib.notebook.names import choose

    choose(chosen.name, recipes.names(), "artefact")
    if chosen.size is not None:
        choose(chosen.size, songbook.SIZES, "size")
    path = recipes.train(
        chosen.name,
        size=chosen.size,
        steps=chosen.steps,
        device=_device(chosen.device),
        mine=chosen.mine,
    )
    print(f"Trained: {path}")
    return 0


def _table(chosen) -> int:
    from course_lib import tables
    from course_lib.notebook.names import choose

    choose(chosen.name, tables.names(), "table")
    path = tables.run(chosen.name, device=_device(chosen.device))
    print(tables.show(tables.results(chosen.name)))
    print(f"Written: {path}")
    return 0


def _encode(chosen) -> int:
    target = _target(chosen, ".codec")
    from course_lib import audio, checkpoints, codec_file

    told = audio.info(chosen.source)
    codec = checkpoints.load("codec")
    rates = {codec_file.header_of(codec, count).kbps: count for count in codec.config.levels}
    kbps = max(rates) if chosen.b is None else chosen.b
    if kbps not in rates:
        known = ", ".join(f"{rate:g}" for rate in sorted(rates))
        raise ValueError(f"-b {kbps:g}: the codec has {known} kbit/s.")
    lm = checkpoints.load("codec_lm") if chosen.lm else None
    channels = codec.config.channels
    if (told.sample_rate, told.channels) != (codec.sample_rate, channels):
        print(
            f"{chosen.source.name}: {told.sample_rate} Hz and {told.channels} channel(s) become "
            f"{codec.sample_rate} Hz and {channels}."
        )
    with _bar(told.seconds, "s") as bar:
        report = codec_file.encode(chosen.source, target, codec, rates[kbps], lm, bar.update)
    print(
        f"{target}: {report.seconds:.1f} s in {report.bytes:,} bytes, {report.kbps:.2f} kbit/s "
        f"({report.header.kbps:g} in codes)"
    )
    if lm is not None:
        print(f"The language model coded {report.range_coded} of {report.blocks} blocks.")
    return 0


def _decode(chosen) -> int:
    target = _target(chosen, ".wav")
    from course_lib import checkpoints, codec_file

    header = codec_file.read_header(chosen.source)
    codec = checkpoints.load("codec")
    lm = checkpoints.load("codec_lm") if header.model else None
    with _bar(chosen.source.stat().st_size, "B", unit_scale=True) as bar:
        clipped = codec_file.decode(chosen.source, target, codec, lm, bar.update)
    print(f"{target}: {header.sample_rate} Hz from {header.kbps:g} kbit/s of codes")
    if clipped:
        print(f"{clipped:,} samples beyond full scale were set to it.")
    return 0


def _generate(chosen) -> int:
    _writable(chosen.target, chosen.f, chosen.melody)
    from course_lib import audio
    from course_lib.notebook import prompting

    load, options = prompting.load_musicgen, {"seed": chosen.seed}
    if chosen.model == "diffusion":
        load = prompting.load_diffusion
        if chosen.melody is not None:
            raise ValueError("--model diffusion follows no melody: leave --melody or --model away.")
    if chosen.melody is not None:
        audio.info(chosen.melody)  # what is no sound is refused before models are loaded
    model = load(chosen.mine)
    rate, tower = model.sample_rate, model.tower
    # What is too long is refused before anything is said.
    seconds = model.frames(chosen.seconds) * model.hop / rate
    if chosen.melody is not None:  # however long it is: no more than is followed, and an edge
        melody = next(audio.read_blocks(chosen.melody, seconds + 1, rate)).mean(0)
        options["melody"] = melody[None, None]
    told = str(prompting.understand(chosen.prompt, tower.tokenizer, tower.longest))
    if told:
        print(told)
    with _bar(chosen.seconds, "s") as bar:

        def made():  # begins once it is known that OUT can be written
            yield prompting.play(chosen.prompt, model, chosen.seconds, bar.update, **options)

        audio.write_blocks(chosen.target, made(), rate)
    print(f"{chosen.target}: {seconds:g} s at {rate} Hz")
    return 0


def _target(chosen, suffix: str) -> Path:
    """The file to write beside one that is read."""
    if not chosen.source.exists():
        raise FileNotFoundError(f"{chosen.source} does not exist: check its name and folder.")
    if chosen.source.is_dir():
        raise IsADirectoryError(f"{chosen.source} is a folder; give the name of a file in it.")
    return _writable(chosen.target or chosen.source.with_suffix(suffix), chosen.f, chosen.source)


def _writable(target: Path, overwrite: bool, source: Path | None = None) -> Path:
    """The file to write, which is not there yet, or may be overwritten; it is not the source."""
    if target.is_dir():
        raise IsADirectoryError(f"{target} is a folder; give the name of a file to write.")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {target.parent} to write {target.name} into.")
    if target.exists():
        if source is not None and source.exists() and target.samefile(source):
            raise ValueError(f"{target} can't be read and written at once: give another OUT.")
        if not target.is_file():  # replacing it would remove a device or a pipe
            raise ValueError(f"{target} is no ordinary file: give the name of one to write.")
        if not overwrite:
            raise FileExistsError(f"{target} is there already: -f overwrites it.")
    if not os.access(target.parent, os.W_OK):
        raise ValueError(f"The folder {target.parent} can't be written: give another OUT.")
    return target


def _bar(total: float, unit: str, **more):
    """A progress bar where somebody looks on."""
    from tqdm import tqdm

    looks = sys.stderr.isatty()
    return tqdm(total=total, unit=unit, disable=not looks, leave=False, **more)


def _check(chosen) -> int:
    from course_lib.grading import commands

    print("\n".join(commands.check(chosen.notebook)))
    return 0


def _grade(chosen) -> int:
    from course_lib.grading import commands

    first, *rest = chosen.what
    if first == "build":
        if chosen.manual is not None:
            raise ValueError("--manual belongs to grading a folder, not to building editions.")
        for path in commands.build(rest, chosen.seed_file, chosen.out):
            print(path)
        return 0
    if rest:
        raise ValueError(f"One folder at a time: {first}, then {' '.join(rest)}.")
    target = commands.grade(
        Path(first), chosen.seed_file, chosen.manual, chosen.out, agreed=chosen.yes
    )
    print(f"Written: {target}")
    return 0


def _doctor(chosen) -> int:
    from course_lib.notebook import doctor

    if chosen.fix:
        for file in doctor.fix_torchaudio():
            print(f"Removed {file.name} from torchaudio: it links CUDA, which this torch has not.")
    findings = doctor.examine()
    for finding in findings:
        print(finding)
    return 1 if any(finding.cure for finding in findings) else 0


def _stamp(chosen) -> int:
    from course_lib.notebook import stamping

    changed = stamping.stamp(chosen.place)
    print(f"{len(changed)} files changed: {', '.join(path.name for path in changed) or 'none'}")
    return 0


def _album(chosen) -> int:
    from course_lib.notebook.album import album

    print(f"To listen from: {album()}")
    return 0


def _listen(chosen) -> int:
    from course_lib.notebook.pooling import pool

    tests, left_out = pool(chosen.folder)
    print("\n".join(str(test) for test in tests))
    for line in left_out:
        print(line, file=sys.stderr)
    return 0


def _device(name: str | None) -> str | None:
    """A device that torch can use here, or None. Raises ValueError for any other."""
    if name is None:
        return None
    import torch

    try:
        torch.zeros(1, device=name).cpu()  # "meta" holds no numbers to read back
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"No device '{name}' can be used here; try cpu.") from error
    return name


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of at least 1")
    return int(text)


def _from_0(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**63:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 0 to 2^63 - 1")
    return int(text)


def _above_0(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number above 0")
    return value


if __name__ == "__main__":
    sys.exit(main())
