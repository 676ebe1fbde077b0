import pytest

from voice.management.commands.voiceworker import default_slots


@pytest.mark.parametrize(("queues", "slots"), [(["stt", "stt-later"], 6), (["stt-batch"], 6), (["tts"], 2)])
def test_a_worker_takes_more_recognitions_than_the_encoder_has_threads(settings, queues, slots):
    settings.VOICE = settings.VOICE | {"STT_SLOTS": 2}

    assert default_slots(queues) == slots
