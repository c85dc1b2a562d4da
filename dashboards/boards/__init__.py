"""The Grafana dashboards as code: a module for each, and what they share.

``python dashboards/boards`` writes the JSON.
"""
