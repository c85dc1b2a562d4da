// Sends spans with the official OTLP exporters of OpenTelemetry JavaScript, and succeeds when all were taken.
//
// usage: node exporter.js http|grpc HOST:PORT COUNT RUN
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as HttpExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';

const [protocol, address, count, run] = process.argv.slice(2);
const exporter =
  protocol === 'grpc'
    ? new GrpcExporter({ url: `http://${address}`, timeoutMillis: 90_000 })
    : new HttpExporter({ url: `http://${address}/v1/traces`, timeoutMillis: 90_000 });

let failed = 0;
const counting = {
  export(spans, done) {
    exporter.export(spans, (result) => {
      failed += result.code === 0 ? 0 : spans.length;
      if (result.error) console.error(result.error);
      done(result);
    });
  },
  forceFlush: () => exporter.forceFlush?.(),
  shutdown: () => exporter.shutdown(),
};

const provider = new TracerProvider({
  spanProcessors: [
    new BatchSpanProcessor({ exporter: counting, maxQueueSize: Number(count), exportTimeoutMillis: 100_000 }),
  ],
});
const tracer = provider.getTracer('exporter-js');
for (let number = 0; number < Number(count); number++) {
  const span = tracer.startSpan('execute_tool run_command');
  span.setAttributes({
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': 'run_command',
    'agent_otel.run.id': run,
    number,
  });
  span.end();
}
const limit = setTimeout(() => process.exit(2), 120_000);
await provider.forceFlush({ timeoutMillis: 110_000 });
await provider.shutdown();
clearTimeout(limit);
process.exit(failed ? 1 : 0);
