package checks

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// serveGRPC serves until the test ends, with a health service or without any.
func serveGRPC(t *testing.T, service *health.Server) string {
	t.Helper()
	server := grpc.NewServer()
	if service != nil {
		healthpb.RegisterHealthServer(server, service)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		assert.NoError(t, <-done)
	})
	return listener.Addr().String()
}

func TestGRPC(t *testing.T) {
	t.Parallel()
	service := health.NewServer()
	service.SetServingStatus("good", healthpb.HealthCheckResponse_SERVING)
	service.SetServingStatus("bad", healthpb.HealthCheckResponse_NOT_SERVING)
	address := serveGRPC(t, service)
	bare := serveGRPC(t, nil)
	for name, c := range map[string]struct {
		d    Definition
		want Result
	}{
		"server":       {Definition{GRPC: address}, passing("gRPC check " + address + ": success")},
		"good service": {Definition{GRPC: address + "/good"}, passing("gRPC check " + address + "/good: success")},
		"bad service":  {Definition{GRPC: address + "/bad"}, critical("gRPC " + address + "/bad serving status: NOT_SERVING")},
		"no service":   {Definition{GRPC: address + "/a/b"}, critical("rpc error: code = NotFound desc = unknown service")},
		"no health":    {Definition{GRPC: bare}, critical("rpc error: code = Unimplemented desc = unknown service grpc.health.v1.Health")},
		"refused":      {Definition{GRPC: "127.0.0.1:1"}, critical(`rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:1: connect: connection refused"`)},
		"no port":      {Definition{GRPC: "nohost"}, critical(`rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp: address nohost: missing port in address"`)},
		"not TLS":      {Definition{GRPC: address, GRPCUseTLS: true}, critical(`rpc error: code = Unavailable desc = connection error: desc = "transport: authentication handshake failed: tls: first record does not look like a TLS handshake"`)},
	} {
		assert.Equal(t, c.want, ask(t, c.d), name)
	}
}

func TestGRPCTimeout(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close()
	got := ask(t, Definition{GRPC: silent.Addr().String(), Timeout: 10 * time.Millisecond})
	assert.Equal(t, "critical", got.Status)
	assert.Contains(t, got.Output, "rpc error: code = DeadlineExceeded desc = context deadline exceeded")
}
