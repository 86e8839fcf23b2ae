package checks

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// grpcProbe asks grpc.health.v1.Health, and passes when the server or the named service of it is serving.
func grpcProbe(d Definition) probe {
	address, service, _ := strings.Cut(d.GRPC, "/")
	security := insecure.NewCredentials()
	if d.GRPCUseTLS {
		security = credentials.NewTLS(d.tlsConfig())
	}
	return func(ctx context.Context) Result {
		ctx, cancel := context.WithTimeout(ctx, d.probeTimeout())
		defer cancel()
		conn, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(security), grpc.WithNoProxy(),
			grpc.WithDisableServiceConfig(), grpc.WithUserAgent("Consul Health Check"))
		if err != nil {
			return critical(err.Error())
		}
		defer conn.Close()
		answer, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{Service: service})
		if err != nil {
			return critical(err.Error())
		}
		if answer.Status != healthpb.HealthCheckResponse_SERVING {
			return critical(fmt.Sprintf("gRPC %s serving status: %s", d.GRPC, answer.Status))
		}
		return passing(fmt.Sprintf("gRPC check %s: success", d.GRPC))
	}
}
