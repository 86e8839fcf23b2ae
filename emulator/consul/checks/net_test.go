package checks

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTCP(t *testing.T) {
	t.Parallel()
	address := serveTLS(t, false)
	for name, c := range map[string]struct {
		d    Definition
		want Result
	}{
		"taken":      {Definition{TCP: address}, passing("TCP connect " + address + ": Success")},
		"refused":    {Definition{TCP: "127.0.0.1:1"}, critical("dial tcp 127.0.0.1:1: connect: connection refused")},
		"no port":    {Definition{TCP: "nohost"}, critical("dial tcp: address nohost: missing port in address")},
		"unverified": {Definition{TCP: address, TCPUseTLS: true, TLSSkipVerify: true}, passing("TCP+TLS connect " + address + ": Success")},
		"authority":  {Definition{TCP: address, TCPUseTLS: true}, critical("tls: failed to verify certificate: x509: certificate signed by unknown authority")},
	} {
		assert.Equal(t, c.want, ask(t, c.d), name)
	}
}

func TestUDP(t *testing.T) {
	t.Parallel()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	address := server.LocalAddr().String()

	silent := ask(t, Definition{UDP: address, Timeout: 10 * time.Millisecond})
	assert.Equal(t, Result{}, silent, "silence is no result")

	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			n, from, err := server.ReadFrom(make([]byte, 100))
			if err != nil {
				return
			}
			assert.Zero(t, n, "the datagram is empty")
			_, _ = server.WriteTo([]byte("hi"), from)
		}
	}()
	assert.Equal(t, passing("UDP connect "+address+": Success"), ask(t, Definition{UDP: address}))
	require.NoError(t, server.Close())
	<-done

	closed := ask(t, Definition{UDP: address})
	assert.Equal(t, "critical", closed.Status)
	assert.Contains(t, closed.Output, "->"+address+": read: connection refused")
}

func TestUDPEndsWithItsContext(t *testing.T) {
	t.Parallel()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer server.Close()
	r, results := start(t, Definition{UDP: server.LocalAddr().String(), Interval: 1, Timeout: time.Hour}, nil)
	_, _, err = server.ReadFrom(make([]byte, 1))
	require.NoError(t, err)
	r.Close()
	assert.Empty(t, results)
}
