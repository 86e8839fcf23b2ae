package role

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// healthWait is how long a role may take to say that it lives.
const healthWait = 3 * time.Second

// Health asks the role that listens on the address, as its VariableListen has
// it, whether it lives. It is what a container's health check runs, in an image
// that has no other program.
func Health(ctx context.Context, listen string) error {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("ask for the health of the role: %s=%q is not the host:port that it listens on", VariableListen, listen)
	}
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "localhost" // it listens on every address of this machine
	}
	ctx, cancel := context.WithTimeout(ctx, healthWait)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/health/live", nil)
	if err != nil {
		return fmt.Errorf("ask for the health of the role: %w", err)
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("ask for the health of the role: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(io.LimitReader(response.Body, 1<<10))
		return fmt.Errorf("ask for the health of the role: %s answered %s: %s", request.URL, response.Status, strings.TrimSpace(string(said)))
	}
	return nil
}
