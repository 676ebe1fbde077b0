"""Hand-written statements give the same results as the ORM."""

import pytest

from tests import factories
from voice.infra import sql
from voice.models import Recording, Transcript


def values(row):
    return [getattr(row, field.attname) for field in row._meta.concrete_fields]


@pytest.mark.django_db
def test_rows_that_are_inserted_are_what_the_orm_reads():
    recordings = [Recording(language="en", max_bytes=1), Recording(language="", max_bytes=2, byte_count=0)]
    transcript = Transcript(recording=recordings[0], segments=factories.segments_of('We’re "there".'))
    sql.insert(*recordings)
    sql.insert(transcript)
    for row in (*recordings, transcript):
        assert values(type(row).objects.get(pk=row.pk)) == values(row)
        assert not row._state.adding


@pytest.mark.django_db
def test_no_rows_are_inserted_without_a_statement(django_assert_num_queries):
    with django_assert_num_queries(0):
        sql.insert()


@pytest.mark.django_db
@pytest.mark.parametrize("peaks", [b"", b"\0\xff\\x", memoryview(b"ab")])
def test_bytes_are_inserted_as_they_are(peaks):
    recording = Recording(language="en", max_bytes=1, peaks=peaks)
    sql.insert(recording)
    assert Recording.objects.get().peaks == bytes(peaks)


@pytest.mark.parametrize(("kept", "drawn"), [(b"b''", b""), (b"", b""), (b"\1\2", b"\1\2")])
def test_peaks_that_were_written_as_a_text_are_none(kept, drawn):
    assert Recording(peaks=kept).drawn_peaks == drawn
