import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.exporter.otlp.trace.OtlpGrpcSpanExporter;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.time.Duration;
import java.util.Collection;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Sends spans with the official OTLP exporters of OpenTelemetry Java, and succeeds when all were taken.
 *
 * <p>usage: Exporter http|grpc HOST:PORT COUNT RUN
 */
public final class Exporter {
  public static void main(String[] arguments) {
    String address = arguments[1];
    int count = Integer.parseInt(arguments[2]);
    SpanExporter exporter = arguments[0].equals("grpc")
        ? OtlpGrpcSpanExporter.builder().setEndpoint("http://" + address).setCompression("gzip")
            .setTimeout(Duration.ofSeconds(90)).build()
        : OtlpHttpSpanExporter.builder().setEndpoint("http://" + address + "/v1/traces").setCompression("gzip")
            .setTimeout(Duration.ofSeconds(90)).build();
    AtomicInteger taken = new AtomicInteger();
    SpanExporter counting = new SpanExporter() {
      @Override
      public CompletableResultCode export(Collection<SpanData> spans) {
        int size = spans.size();
        CompletableResultCode result = exporter.export(spans);
        result.whenComplete(() -> taken.addAndGet(result.isSuccess() ? size : 0));
        return result;
      }

      @Override
      public CompletableResultCode flush() {
        return exporter.flush();
      }

      @Override
      public CompletableResultCode shutdown() {
        return exporter.shutdown();
      }
    };
    SdkTracerProvider provider = SdkTracerProvider.builder()
        .addSpanProcessor(BatchSpanProcessor.builder(counting).setMaxQueueSize(count)
            .setExporterTimeout(Duration.ofSeconds(100)).build())
        .build();
    var tracer = provider.get("exporter-java");
    for (int number = 0; number < count; number++) {
      tracer.spanBuilder("execute_tool run_command")
          .setAttribute("gen_ai.operation.name", "execute_tool")
          .setAttribute("gen_ai.tool.name", "run_command")
          .setAttribute("agent_otel.run.id", arguments[3])
          .setAttribute("number", number)
          .startSpan().end();
    }
    provider.forceFlush().join(110, TimeUnit.SECONDS);
    provider.shutdown().join(5, TimeUnit.SECONDS);
    System.err.println(taken.get() + " of " + count + " spans were taken");
    System.exit(taken.get() == count ? 0 : 1);
  }
}
