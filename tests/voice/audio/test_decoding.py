"""Malicious files must not harm a worker."""

import io
import struct
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sounds import encode, encode_wav, loudest_hz, tone
from voice.audio.decoding import AudioOverLimit, Tally, decode
from voice.audio.encoding import encode_flac
from voice.audio.processing import describe
from voice.errors import AudioRejected

RATE_HZ = 16_000
ROOT = Path(__file__).resolve().parents[3]
FLAC_TOTAL = slice(21, 26)  # its lowest 36 bits are the sample count. Source: RFC 9639, section 8.2


def wav(channels: int, rate_hz: int, pcm: bytes) -> bytes:
    block = channels * 2
    layout = struct.pack("<HHIIHH", 1, channels, rate_hz, rate_hz * block & 0xFFFFFFFF, block & 0xFFFF, 16)
    body = b"WAVEfmt \x10\x00\x00\x00" + layout + b"data" + struct.pack("<I", len(pcm)) + pcm
    return b"RIFF" + struct.pack("<I", len(body)) + body


def flac_that_claims(n_samples: int, seconds: float) -> bytes:
    file = bytearray(encode_flac(bytes(int(seconds * RATE_HZ) * 2)))
    claimed = int.from_bytes(file[FLAC_TOTAL], "big") & 0xF0_0000_0000 | n_samples
    file[FLAC_TOTAL] = claimed.to_bytes(5, "big")
    return bytes(file)


def made(container: str, codec: str, *, layout: str = "mono", has_video: bool = False) -> bytes:
    """A second of a tone in any container; a video has one small grey frame."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        if has_video:
            video = output.add_stream("mpeg4", rate=1, width=64, height=64, pix_fmt="yuv420p")
        stream = output.add_stream(codec, rate=48_000, layout=layout)
        if codec == "wmav2":
            stream.bit_rate = 64_000
        if has_video:
            output.mux(video.encode(av.VideoFrame(64, 64, "yuv420p")))
            output.mux(video.encode(None))
        samples = np.repeat((tone(1.0, 48_000) * 32767).astype("<i2"), stream.codec_context.channels)
        frame = av.AudioFrame.from_ndarray(samples[None], "s16", layout)
        frame.sample_rate = 48_000
        output.mux([*stream.encode(frame), *stream.encode(None)])
    return file.getvalue()


@pytest.mark.parametrize(
    ("container", "codec"),
    [
        ("mp4", "aac"),
        ("mov", "alac"),
        ("webm", "libopus"),
        ("matroska", "pcm_s16le"),
        ("adts", "aac"),
        ("mpegts", "mp2"),
        ("aiff", "pcm_s16be"),
        ("caf", "pcm_s16le"),
        ("au", "pcm_mulaw"),
        ("w64", "pcm_s24le"),
        ("wav", "adpcm_ms"),
        ("asf", "wmav2"),
        ("ogg", "libopus"),
        ("flv", "aac"),
    ],
)
def test_what_recorders_write_is_read(container, codec):
    samples = decode(made(container, codec))

    assert len(samples) == pytest.approx(RATE_HZ, rel=0.1)
    assert loudest_hz(samples, RATE_HZ) == pytest.approx(440, rel=0.02)


@pytest.mark.parametrize("container", ["mp4", "matroska", "mpegts"])
def test_the_sound_of_a_video_is_read(container):
    codec = "mp2" if container == "mpegts" else "aac"

    assert loudest_hz(decode(made(container, codec, has_video=True)), RATE_HZ) == pytest.approx(440, rel=0.02)


@pytest.mark.parametrize("layout", ["stereo", "5.1", "7.1", "hexadecagonal"])
def test_channels_are_mixed_to_mono(layout):
    container, codec = ("wav", "pcm_s16le") if layout == "hexadecagonal" else ("flac", "flac")
    samples = decode(made(container, codec, layout=layout))

    assert len(samples) == pytest.approx(RATE_HZ, rel=0.01)
    assert loudest_hz(samples, RATE_HZ) == pytest.approx(440, rel=0.02)


def stereo(left: np.ndarray, right: np.ndarray) -> bytes:
    """A FLAC file of two channels at 16 000 Hz."""
    file = io.BytesIO()
    with av.open(file, "w", format="flac") as output:
        stream = output.add_stream("flac", rate=RATE_HZ, layout="stereo")
        samples = (np.stack([left, right], axis=1).reshape(1, -1) * 32767).astype("<i2")
        frame = av.AudioFrame.from_ndarray(samples, "s16", "stereo")
        frame.sample_rate = RATE_HZ
        output.mux([*stream.encode(frame), *stream.encode(None)])
    return file.getvalue()


SOUND = tone(2.0)


@pytest.mark.parametrize(
    ("left", "right"),
    [(SOUND, -SOUND), (SOUND, -0.9 * SOUND), (SOUND, 0 * SOUND), (0.001 * SOUND, SOUND), (SOUND, SOUND)],
    ids=["inverted", "nearly inverted", "left alone", "right alone", "both the same"],
)
def test_no_channel_cancels_or_weakens_another(left, right):
    samples = decode(stereo(left, right))

    assert np.abs(samples - max(left, right, key=lambda channel: np.abs(channel).max())).max() < 0.03
    assert loudest_hz(samples, RATE_HZ) == pytest.approx(440, rel=0.02)


def test_two_who_speak_in_turn_on_a_channel_each_are_both_heard():
    samples = decode(stereo(np.append(SOUND, 0 * SOUND), np.append(0 * SOUND, SOUND)))
    first, second = samples[: len(SOUND)], samples[len(SOUND) :]

    assert np.abs(first).max() == pytest.approx(0.5, abs=0.01)
    assert 0.24 < np.abs(second).max() < 0.51  # the mean of both, until the first is forgotten


def voice_message() -> bytes:
    """AMR that sends comfort noise in its pause, as telephones do."""
    pause = np.random.default_rng(0).normal(0, 0.002, 16_000)
    samples = (np.concatenate([tone(1.0, 8_000), pause, tone(1.0, 8_000)]) * 32767).astype("<i2")
    file = io.BytesIO()
    with av.open(file, "w", format="amr") as output:
        stream = output.add_stream("libopencore_amrnb", rate=8_000, layout="mono", options={"dtx": "1"})
        stream.bit_rate = 12_200
        for start in range(0, len(samples), 160):
            frame = av.AudioFrame.from_ndarray(samples[None, start : start + 160], "s16", "mono")
            frame.sample_rate, frame.pts = 8_000, start
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return file.getvalue()


def test_comfort_noise_becomes_silence_of_its_length():
    tally = Tally()
    samples = decode(voice_message(), tally=tally)

    assert 40 <= tally.skipped_frames <= 60  # of 20 ms each
    assert len(samples) / RATE_HZ == pytest.approx(4.0, abs=0.05)
    assert loudest_hz(samples[-RATE_HZ // 2 :], RATE_HZ) == pytest.approx(440, rel=0.02)


def damaged(file: bytes, every: int) -> bytes:
    """An AAC file in which every so many frames after its header are overwritten."""
    starts = [at for at in range(len(file) - 1) if file[at : at + 2] == b"\xff\xf1"]
    changed = bytearray(file)
    for start, end in list(pairwise(starts))[5::every]:
        changed[start + 7 : end] = b"\xff" * (end - start - 7)
    return bytes(changed)


def test_damaged_frames_are_skipped_and_counted():
    file, tally = encode(tone(4.0), rate_hz=RATE_HZ, container="aac"), Tally()
    samples = decode(damaged(file, 10), tally=tally)

    assert 3 <= tally.skipped_frames <= 10
    assert len(samples) == pytest.approx(len(decode(file)), abs=RATE_HZ * 0.1)
    with pytest.raises(AudioRejected, match="frames are damaged"):
        decode(damaged(file, 2))


def test_a_video_without_sound_is_rejected():
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as output:
        video = output.add_stream("mpeg4", rate=1, width=64, height=64, pix_fmt="yuv420p")
        output.mux([*video.encode(av.VideoFrame(64, 64, "yuv420p")), *video.encode(None)])

    with pytest.raises(AudioRejected, match="no audio track"):
        decode(file.getvalue())


def test_a_codec_that_nobody_records_with_is_rejected_unopened():
    with pytest.raises(AudioRejected, match="'wavpack' is not read"):
        decode(made("matroska", "wavpack"))


@pytest.mark.parametrize("junk", [b"", b"no audio at all", bytes(1000), b"RIFF\xff\xff\xff\xffWAVEfmt "])
def test_junk_is_rejected(junk):
    with pytest.raises(AudioRejected):
        decode(junk)


def test_a_file_without_samples_is_rejected():
    with pytest.raises(AudioRejected):
        decode(encode_wav(b""))


def test_a_playlist_that_names_a_file_of_this_server_is_rejected(tmp_path):
    secret = tmp_path / "secret.wav"
    secret.write_bytes(encode_wav(bytes(32_000)))
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://{secret}\n#EXT-X-ENDLIST\n"
    description = f"v=0\nc=IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\na=control:{secret}\n"
    manifest = f'<?xml version="1.0"?><MPD><BaseURL>{secret}</BaseURL></MPD>'

    for trick in (playlist, f"ffconcat version 1.0\nfile '{secret}'\n", description, manifest):
        with pytest.raises(AudioRejected):
            decode(trick.encode())


def test_a_file_over_the_limit_of_bytes_is_rejected_unread():
    with pytest.raises(AudioOverLimit, match="at most 10") as refused:
        decode(bytes(11), limit_bytes=10)

    assert (refused.value.limit, refused.value.maximum) == ("bytes", 10)


def test_an_open_file_is_read_and_left_open(tmp_path):
    path = tmp_path / "tone.flac"
    path.write_bytes(encode(tone(1.0), rate_hz=RATE_HZ, container="flac"))

    with path.open("rb") as file:
        assert np.array_equal(decode(file), decode(path.read_bytes()))
        assert not file.closed
        with pytest.raises(AudioOverLimit):
            decode(file, limit_bytes=100)


@pytest.mark.parametrize("claimed", [0, RATE_HZ, 60 * RATE_HZ])
def test_a_recording_over_the_limit_is_rejected_whatever_it_claims(claimed):
    with pytest.raises(AudioOverLimit, match="over 30 s") as refused:
        decode(flac_that_claims(claimed, 60.0), limit_s=30)

    assert (refused.value.limit, refused.value.maximum) == ("seconds", 30)


def test_a_recording_that_says_it_is_too_long_is_rejected_undecoded():
    with pytest.raises(AudioOverLimit, match="over 30 s"):
        decode(flac_that_claims(8 * 3600 * RATE_HZ, 1.0), limit_s=30, limit_cpu_s=-1)


def test_a_recording_that_claims_to_be_shorter_is_read_whole():
    assert len(decode(flac_that_claims(RATE_HZ, 5.0))) == 5 * RATE_HZ


def test_a_recording_at_the_limit_is_read():
    assert len(decode(encode_flac(bytes(RATE_HZ * 2 * 5)), limit_s=5)) == 5 * RATE_HZ


def test_decoding_stops_when_its_time_is_used_up():
    with pytest.raises(AudioOverLimit, match="to decode") as refused:
        decode(encode_flac(bytes(RATE_HZ * 2 * 5)), limit_cpu_s=-1)

    assert refused.value.limit == "cpu_seconds"


@pytest.mark.parametrize("rate_hz", [1, 100, 3_999, 192_001, 2**31 - 1])
def test_an_absurd_sample_rate_is_rejected(rate_hz):
    with pytest.raises(AudioOverLimit, match=f"{rate_hz} Hz") as refused:
        decode(wav(1, rate_hz, bytes(32_000)))

    assert refused.value.limit == "sample_rate_hz"


@pytest.mark.parametrize("rate_hz", [0, 2**32 - 1])
def test_an_impossible_sample_rate_is_rejected(rate_hz):
    with pytest.raises(AudioRejected):
        decode(wav(1, rate_hz, bytes(32_000)))


@pytest.mark.parametrize("channels", [0, 17, 512, 65_535])
def test_absurd_channels_are_rejected(channels):
    with pytest.raises(AudioOverLimit, match="channels are not read") as refused:
        decode(wav(channels, RATE_HZ, bytes(max(1, channels) * 2 * 100)))

    assert refused.value.limit == "channels"


@pytest.mark.parametrize("container", ["wav", "flac", "mp3", "opus", "aac"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.99])
def test_a_truncated_file_gives_what_is_there_or_is_rejected(container, share):
    file = encode(tone(2.0), rate_hz=RATE_HZ, container=container)

    try:
        samples = decode(file[: int(len(file) * share)])
    except AudioRejected:
        return
    assert len(samples) <= (share + 0.2) * 2 * RATE_HZ + 4_000


def test_tags_after_the_sound_do_no_harm():
    file = encode(tone(1.0), rate_hz=RATE_HZ, container="mp3") + b"TAG" + b"Title".ljust(125, b"\x00")

    assert loudest_hz(decode(file), RATE_HZ) == pytest.approx(440, rel=0.02)


def test_a_file_that_is_mostly_damaged_is_rejected():
    file = bytearray(made("mp4", "aac"))
    start, end = file.index(b"mdat") + 4, file.index(b"moov") - 4
    file[start:end] = np.random.default_rng(1).bytes(end - start)

    with pytest.raises(AudioRejected, match="cannot be read"):
        decode(bytes(file))


def test_values_that_are_no_numbers_become_silence():
    floats = struct.pack("<4f", float("nan"), float("inf"), -3.0, 0.25) * 4000
    layout = struct.pack("<HHIIHH", 3, 1, RATE_HZ, RATE_HZ * 4, 4, 32)
    body = b"WAVEfmt \x10\x00\x00\x00" + layout + b"data" + struct.pack("<I", len(floats)) + floats

    samples = decode(b"RIFF" + struct.pack("<I", len(body)) + body)

    assert samples[:4].tolist() == [0.0, 1.0, -1.0, 0.25]


def test_memory_stays_near_the_limit_of_seconds(tmp_path):
    frames = encode(np.zeros(80_000, np.float32), rate_hz=8_000, container="mp3")
    (tmp_path / "seven_hours.mp3").write_bytes(frames * 250)
    script = (
        "import resource, sys\n"
        "from voice.audio.decoding import AudioOverLimit, decode\n"
        "import av, numpy\n"
        "file = open(sys.argv[1], 'rb')\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: decode(file, limit_s=600)\n"
        "except AudioOverLimit as error: print(error.limit)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )

    command = [sys.executable, "-c", script, str(tmp_path / "seven_hours.mp3")]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    limit, grown_kib = result.stdout.split()
    assert limit == "seconds"
    assert int(grown_kib) * 1024 < 1.5 * 600 * RATE_HZ * 4


SILENT_S = 400


def test_a_conversion_holds_a_block_however_long_the_audio(tmp_path):
    """A file of a few kilobytes may stand for an hour of samples."""
    (tmp_path / "silence.flac").write_bytes(encode_flac(bytes(SILENT_S * 8_000 * 2), rate_hz=8_000))
    script = (
        "import resource, sys, tempfile\n"
        "from voice.audio import processing\n"
        "from voice.audio.decoding import decoded_blocks\n"
        "from voice.audio.encoding import Encoder\n"
        "from voice.audio.pcm import s16le_from_samples\n"
        "import av.filter\n"
        "options, rate_hz = processing.Processing(is_compressed=True), 48_000\n"
        "blocks = lambda: decoded_blocks(open(sys.argv[1], 'rb'), rate_hz=rate_hz)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "levels = processing.measure(blocks(), rate_hz, options)\n"
        "with tempfile.TemporaryFile() as file:\n"
        "    encoder = Encoder('wav', rate_hz, file=file)\n"
        "    for block in processing.processed(blocks(), rate_hz, options, levels):\n"
        "        encoder.feed(s16le_from_samples(block))\n"
        "    encoder.finish()\n"
        "    print(file.tell())\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )

    command = [sys.executable, "-c", script, str(tmp_path / "silence.flac")]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    written, grown_kib = map(int, result.stdout.split())
    assert written == pytest.approx(SILENT_S * 48_000 * 2, rel=0.001)  # 38 MB
    assert grown_kib * 1024 < 20_000_000


def test_a_frame_that_stands_for_too_many_samples_is_rejected(monkeypatch):
    monkeypatch.setattr("voice.audio.decoding.FRAME_SAMPLES_LIMIT", 1000)

    with pytest.raises(AudioRejected, match="cannot be read"):
        decode(encode_flac(bytes(32_000)))


def mp4_that_claims(n_frames: int) -> bytes:
    """An MP4 of ten kilobytes whose tables state any number of frames of one byte.

    Source: ISO 14496-12, section 8.7 (stsz, stsc, stco) and 8.6.1.2 (stts).
    """
    file = bytearray(made("mp4", "aac"))
    sizes, times, chunks, places = (file.index(name) - 4 for name in (b"stsz", b"stts", b"stsc", b"stco"))
    rest = int.from_bytes(file[sizes : sizes + 4], "big") - 20
    table = struct.pack(">I4sIII", 20, b"stsz", 0, 1, n_frames) + struct.pack(">I4s", rest, b"free")
    file[sizes : sizes + len(table)] = table
    struct.pack_into(">III", file, times + 12, 1, n_frames, 1024)
    struct.pack_into(">IIII", file, chunks + 12, 1, 1, n_frames, 1)
    struct.pack_into(">I", file, places + 12, 1)
    return bytes(file)


def test_a_header_that_states_millions_of_frames_costs_no_memory(tmp_path):
    (tmp_path / "claims.mp4").write_bytes(mp4_that_claims(30_000_000))
    script = (
        "import resource, sys\n"
        "from voice.audio.decoding import decode\n"
        "from voice.errors import AudioRejected\n"
        "import av\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: decode(open(sys.argv[1], 'rb'), limit_s=1e12)\n"
        "except AudioRejected as error: print('rejected')\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )

    command = [sys.executable, "-c", script, str(tmp_path / "claims.mp4")]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    outcome, grown_kib = result.stdout.split()
    assert outcome == "rejected"
    assert int(grown_kib) * 1024 < 64_000_000  # 1.1 GB without the bound


SMALL = [
    encode(tone(0.2), rate_hz=RATE_HZ, container=container)
    for container in ("wav", "flac", "mp3", "opus", "aac")
] + [made("mp4", "aac"), made("webm", "libopus"), made("asf", "wmav2"), made("caf", "pcm_s16le")]


@settings(max_examples=300, deadline=None)
@given(data=st.data(), file=st.sampled_from(SMALL))
def test_a_damaged_file_is_decoded_or_rejected_and_nothing_else(data, file):
    damaged = bytearray(file)
    header = min(len(file), 600)  # the part with the format's headers
    for _ in range(data.draw(st.integers(1, 12))):
        end = data.draw(st.sampled_from([header, len(file)]))
        position = data.draw(st.integers(0, end - 1))
        damaged[position : position + 1] = data.draw(st.binary(min_size=0, max_size=9))

    for read in (
        lambda: decode(bytes(damaged), limit_s=60, limit_cpu_s=20),
        lambda: describe(bytes(damaged)),
    ):
        try:
            result = read()
        except AudioRejected:
            continue
        if isinstance(result, np.ndarray):
            assert np.abs(result).max() <= 1
            assert len(result) <= 60 * RATE_HZ + RATE_HZ
