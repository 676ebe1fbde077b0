"""Staff watch interviews under way: a page, a panel of the overview, and the WebSocket behind them."""
