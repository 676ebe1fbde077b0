"""Speech while it is being said: voice activity, turns, utterances, captions."""
