//go:build tools

package jaeger

import _ "github.com/jaegertracing/jaeger/cmd/jaeger"
