"""Speech services of vendors, behind the protocols of `voice.engines.base`.

A vendor is called only if its name is in STT_ENGINES or TTS_ENGINES and its key is set. Without the key
`load` says which variable is missing; `load` itself makes no request.
"""
