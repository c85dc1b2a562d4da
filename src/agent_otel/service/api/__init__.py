"""The read API: run records and the telemetry behind them, as ``reply(request, store) -> Reply``.

It reads and never folds: that is the compactor's work. One table of routes makes the answers and their OpenAPI
description. What is told comes from strangers: it leaves as JSON, and nothing else may be made of it.
"""
