package checks

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestH2Ping(t *testing.T) {
	t.Parallel()
	secure, old := serveTLS(t, true), serveTLS(t, false)
	plain := httptest.NewUnstartedServer(http.NotFoundHandler())
	plain.Config.Protocols = new(http.Protocols)
	plain.Config.Protocols.SetUnencryptedHTTP2(true)
	plain.Start()
	defer plain.Close()
	for name, c := range map[string]struct {
		d    Definition
		want Result
	}{
		"plain":      {Definition{H2PING: plain.Listener.Addr().String()}, passing("HTTP2 ping was successful")},
		"unverified": {Definition{H2PING: secure, H2PingUseTLS: true, TLSSkipVerify: true}, passing("HTTP2 ping was successful")},
		"authority":  {Definition{H2PING: secure, H2PingUseTLS: true}, critical("Failed to dial to " + secure + ": tls: failed to verify certificate: x509: certificate signed by unknown authority")},
		"HTTP/1":     {Definition{H2PING: old, H2PingUseTLS: true, TLSSkipVerify: true}, critical("Failed to dial to " + old + ": remote error: tls: no application protocol")},
		"refused":    {Definition{H2PING: "127.0.0.1:1"}, critical("Failed to dial to 127.0.0.1:1: dial tcp 127.0.0.1:1: connect: connection refused")},
	} {
		assert.Equal(t, c.want, ask(t, c.d), name)
	}
	notTLS := ask(t, Definition{H2PING: old})
	assert.True(t, notTLS.Status == "critical" && strings.HasPrefix(notTLS.Output, "HTTP2 ping failed: "), notTLS)
}

func TestH2PingTimeout(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close()
	got := ask(t, Definition{H2PING: silent.Addr().String(), Timeout: 10 * time.Millisecond})
	assert.Equal(t, critical("HTTP2 ping failed: context deadline exceeded"), got)
}
