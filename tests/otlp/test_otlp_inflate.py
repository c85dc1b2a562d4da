"""Compressed bodies: inflated whole, or refused for a stated reason, at a bounded cost."""

from __future__ import annotations

import gzip
import subprocess
import sys
import time
import tracemalloc
import zlib

import pytest
import zstandard

from agent_otel.errors import DecodeError, TooLarge, Unsupported
from agent_otel.otlp.inflate import accepted, inflate

MIB = 1 << 20
BODY = bytes(range(256)) * 1_000
COMPRESS = {"gzip": gzip.compress, "zstd": zstandard.ZstdCompressor().compress}


@pytest.mark.parametrize("encoding", COMPRESS)
def test_whoever_keeps_count_may_end_it(encoding):
    """Sizes are told before they are kept, and nothing is inflated after one that there is no room for."""
    sizes = []

    def reach(size):
        sizes.append(size)
        if size > 20 * MIB:
            raise MemoryError

    with pytest.raises(MemoryError):
        inflate(COMPRESS[encoding](bytes(60 * MIB)), encoding, limit=64 * MIB, reach=reach)
    assert sizes == sorted(sizes)
    assert sizes[-1] <= 20 * MIB + 17 * MIB
    sizes.clear()
    inflate(COMPRESS[encoding](BODY), encoding, limit=MIB, reach=sizes.append)
    assert sizes[-1] == len(BODY)


@pytest.mark.parametrize("encoding", ["", "identity", " Identity "])
def test_a_body_that_is_not_compressed_is_taken_as_it_is(encoding):
    """Up to the limit, and not a byte more."""
    assert inflate(BODY, encoding, limit=len(BODY)) is BODY
    with pytest.raises(TooLarge, match="more than 255999 bytes"):
        inflate(BODY, encoding, limit=len(BODY) - 1)


@pytest.mark.parametrize(
    ("encoding", "name"), [("gzip", "gzip"), ("GZIP", "gzip"), (" x-gzip", "gzip"), ("zstd", "zstd"), ("Zstd", "zstd")]
)
def test_a_compressed_body_is_inflated(encoding, name):
    """In one member or in several, up to the limit exactly."""
    compress = COMPRESS[name]
    assert inflate(compress(BODY), encoding, limit=len(BODY)) == BODY
    assert inflate(compress(BODY) + compress(b"") + compress(BODY), encoding, limit=2 * len(BODY)) == BODY * 2
    with pytest.raises(TooLarge):
        inflate(compress(BODY), encoding, limit=len(BODY) - 1)
    with pytest.raises(TooLarge):
        inflate(compress(BODY) + compress(b"x"), encoding, limit=len(BODY))


@pytest.mark.parametrize("name", sorted(COMPRESS))
def test_a_cut_body_is_damaged_wherever_it_was_cut(name):
    """A cut between two members is the one that nothing tells."""
    whole = COMPRESS[name](b"some text, some text") + COMPRESS[name](b"more text")
    between = len(COMPRESS[name](b"some text, some text"))
    for end in range(len(whole)):
        if end != between:
            with pytest.raises(DecodeError, match="cannot be decompressed"):
                inflate(whole[:end], name, limit=MIB)


@pytest.mark.parametrize("name", sorted(COMPRESS))
@pytest.mark.parametrize("garbage", [b"\0", b"garbage", b"\0" * 512])
def test_bytes_after_the_end_are_damage(name, garbage):
    """Whatever follows a member must be another one."""
    with pytest.raises(DecodeError, match="cannot be decompressed"):
        inflate(COMPRESS[name](BODY) + garbage, name, limit=MIB)


@pytest.mark.parametrize("name", sorted(COMPRESS))
def test_other_bytes_are_refused(name):
    """Plain text, the other encoding, raw deflate, and a member whose checksum is wrong."""
    wrong_sum = bytearray(gzip.compress(BODY))
    wrong_sum[-5] ^= 1
    (other,) = set(COMPRESS) - {name}
    for body in (b"{}", COMPRESS[other](BODY), zlib.compress(BODY), bytes(wrong_sum)):
        with pytest.raises(DecodeError, match="cannot be decompressed"):
            inflate(body, name, limit=MIB)


@pytest.mark.parametrize("encoding", ["deflate", "br", "gzip, gzip", "none", "x" * 1_000])
def test_other_encodings_are_unsupported_and_the_message_names_what_is(encoding):
    """One layer of a known encoding is read; the answer to the rest is bounded."""
    with pytest.raises(Unsupported, match=r"send gzip, zstd, identity$") as caught:
        inflate(BODY, encoding, limit=MIB)
    assert caught.value.status == 415
    assert len(str(caught.value)) < 200


def test_without_its_library_there_is_no_zstd(monkeypatch):
    """It is neither accepted nor named; gzip goes on."""
    monkeypatch.setitem(sys.modules, "zstandard", None)
    assert accepted() == ("gzip", "identity")
    with pytest.raises(Unsupported, match=r"send gzip, identity$"):
        inflate(COMPRESS["zstd"](BODY), "zstd", limit=MIB)
    assert inflate(COMPRESS["gzip"](BODY), "gzip", limit=MIB) == BODY


def test_a_zstd_frame_that_refers_far_back_is_refused():
    """The window is memory that the sender would make us take."""
    parameters = zstandard.ZstdCompressionParameters(window_log=24, enable_ldm=True)
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    with pytest.raises(DecodeError, match="cannot be decompressed"):
        inflate(stream.compress(BODY) + stream.flush(), "zstd", limit=64 * MIB)


def _bombs():
    zeros = bytes(MIB)
    stream = zlib.compressobj(9, zlib.DEFLATED, 31)
    yield "gzip", b"".join([*(stream.compress(zeros) for _ in range(1_000)), stream.flush()])
    yield "gzip", gzip.compress(zeros) * 1_000
    yield "gzip", gzip.compress(b"") * 200_000
    frame = zstandard.ZstdCompressor().compressobj()
    yield "zstd", b"".join([*(frame.compress(zeros) for _ in range(1_000)), frame.flush()])
    yield "zstd", COMPRESS["zstd"](zeros) * 1_000
    yield "zstd", COMPRESS["zstd"](b"") * 200_000


def test_bombs_cost_no_more_than_the_limit():
    """A gigabyte in a megabyte, in one member or a thousand, and very many members of nothing."""
    for encoding, bomb in _bombs():
        began = time.process_time()
        with pytest.raises(TooLarge):
            inflate(bomb, encoding, limit=64 * MIB)
        assert time.process_time() - began < 1
        tracemalloc.start()
        with pytest.raises(TooLarge):
            inflate(bomb, encoding, limit=64 * MIB)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 120 * MIB


def test_a_bomb_costs_the_process_little():
    """Measured by the system, which sees what the libraries take by themselves."""
    program = (
        "import resource, zlib; from agent_otel.otlp.inflate import inflate; from agent_otel.errors import TooLarge\n"
        "stream, zeros = zlib.compressobj(9, 8, 31), bytes(1 << 20)\n"
        "bomb = b''.join([*(stream.compress(zeros) for _ in range(1000)), stream.flush()])\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: inflate(bomb, 'gzip', limit=64 << 20)\n"
        "except TooLarge: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    unit = 1 if sys.platform == "darwin" else 1024
    assert int(done.stdout) * unit < 150 * MIB
