"""Speech services of vendors, each behind the protocols of `voice.engines.base`.

None is called unless its name stands in STT_ENGINES or TTS_ENGINES and its key is set. Without the key `load`
says which variable is missing; `load` itself calls nobody.
"""
