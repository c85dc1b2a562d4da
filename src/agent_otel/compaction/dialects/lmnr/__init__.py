"""Laminar's spans, by which OpenHands tells what it does."""
