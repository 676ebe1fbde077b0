"""Ids of operations: clients that were generated from the description call them by these names."""

from interview_platform.web.api import api

IDS = [
    "interviews_api_erase_candidate",
    "interviews_api_export_session",
    "interviews_api_extend",
    "interviews_api_give_accommodation",
    "interviews_api_invite",
    "interviews_api_list_answers",
    "interviews_api_list_erasures",
    "interviews_api_list_interviews",
    "interviews_api_list_invitations",
    "interviews_api_read_accommodation",
    "interviews_api_read_erasure",
    "interviews_api_read_interview",
    "interviews_api_read_invitation",
    "interviews_api_read_recording",
    "interviews_api_read_session",
    "interviews_api_read_transcript",
    "interviews_api_reset",
    "interviews_api_revoke",
    "stt",
    "tts",
    "voice_api_convert",
    "voice_api_create_batch",
    "voice_api_delete_batch",
    "voice_api_erase_cloned_voice",
    "voice_api_hear_voice",
    "voice_api_list_batches",
    "voice_api_list_cloned_voices",
    "voice_api_list_voices",
    "voice_api_read_batch",
    "voice_api_read_batch_file",
    "voice_api_stats",
    "voice_api_synthesize",
    "voice_api_transcribe",
    "voice_openai_api_create_speech",
    "voice_openai_api_create_transcription",
    "voice_openai_api_create_translation",
    "voice_openai_api_create_voice",
    "voice_openai_api_list_models",
    "voice_openai_api_list_speech_voices",
    "voice_openai_api_read_model",
]


def test_operations_keep_their_ids():
    paths = api.get_openapi_schema()["paths"].values()
    assert sorted(operation["operationId"] for path in paths for operation in path.values()) == IDS
