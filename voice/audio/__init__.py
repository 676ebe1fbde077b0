"""Audio as samples: PCM, resampling, decoding, encoding, processing. Plain Python."""
