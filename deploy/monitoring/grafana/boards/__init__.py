"""What each dashboard shows; `generate.py` turns it into Grafana's JSON."""

from boards import capacity, product, queues, speech, stores

ALL = (product.BOARD, speech.BOARD, queues.BOARD, stores.BOARD, capacity.BOARD)
