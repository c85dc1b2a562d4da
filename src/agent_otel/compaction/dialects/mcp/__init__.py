"""Spans of the Model Context Protocol, as its clients and servers emit them."""
