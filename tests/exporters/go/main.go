// Sends spans with the official OTLP exporter of OpenTelemetry Go, and succeeds when all were taken.
//
// usage: exporter http|grpc HOST:PORT COUNT RUN
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/trace"
)

func exporter(ctx context.Context, protocol, address string) (trace.SpanExporter, error) {
	if protocol == "grpc" {
		return otlptracegrpc.New(ctx, otlptracegrpc.WithEndpoint(address), otlptracegrpc.WithInsecure(),
			otlptracegrpc.WithCompressor("gzip"), otlptracegrpc.WithTimeout(90*time.Second))
	}
	return otlptracehttp.New(ctx, otlptracehttp.WithEndpoint(address), otlptracehttp.WithInsecure(),
		otlptracehttp.WithCompression(otlptracehttp.GzipCompression), otlptracehttp.WithTimeout(90*time.Second))
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	protocol, address, run := os.Args[1], os.Args[2], os.Args[4]
	count, err := strconv.Atoi(os.Args[3])
	check(err)
	sending, err := exporter(ctx, protocol, address)
	check(err)
	provider := trace.NewTracerProvider(
		trace.WithBatcher(sending, trace.WithMaxQueueSize(count), trace.WithExportTimeout(100*time.Second)))
	tracer := provider.Tracer("exporter-go")
	for number := range count {
		_, span := tracer.Start(ctx, "execute_tool run_command")
		span.SetAttributes(attribute.String("gen_ai.operation.name", "execute_tool"),
			attribute.String("gen_ai.tool.name", "run_command"),
			attribute.String("agent_otel.run.id", run), attribute.Int("number", number))
		span.End()
	}
	check(provider.ForceFlush(ctx))
	check(provider.Shutdown(ctx))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
