"""Text: sentences, languages, writing systems, subtitles, transcripts. Plain Python."""
