"""Sends spans with the official OTLP exporters of OpenTelemetry Python, and succeeds when all were taken.

usage: exporter.py http|grpc HOST:PORT COUNT RUN
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

TIMEOUT_S = 90


class Counting(SpanExporter):
    """Counts what was taken: flushing tells nothing of it."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self.taken = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        self.taken += len(spans) if result is SpanExportResult.SUCCESS else 0
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


def main(protocol: str, address: str, count: int, run: str) -> int:
    """Sends them; the exit code."""
    sending = Counting(
        GrpcExporter(endpoint=f"http://{address}", insecure=True, timeout=TIMEOUT_S)
        if protocol == "grpc"
        else HttpExporter(endpoint=f"http://{address}/v1/traces", timeout=TIMEOUT_S)
    )
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(sending, max_queue_size=count))
    tracer = provider.get_tracer("exporter-python")
    for number in range(count):
        with tracer.start_as_current_span("execute_tool run_command") as span:
            span.set_attributes(
                {
                    "gen_ai.operation.name": "execute_tool",
                    "gen_ai.tool.name": "run_command",
                    "agent_otel.run.id": run,
                    "number": number,
                }
            )
    provider.force_flush(110_000)
    provider.shutdown()
    sys.stderr.write(f"{sending.taken} of {count} spans were taken\n")
    return 0 if sending.taken == count else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]))
