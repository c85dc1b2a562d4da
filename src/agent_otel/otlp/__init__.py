"""From OTLP bytes to items and their decoded views, and back; protobuf and JSON. No input, no output.

Import the modules directly: ``protobuf`` and ``otlp_json`` read request bodies, ``lines`` reads bytes of unknown kind,
``views`` decodes items, ``encode`` writes bodies and JSON lines.
"""
