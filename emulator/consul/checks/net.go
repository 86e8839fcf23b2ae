package checks

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

// tcpProbe passes when the target takes a connection and, with TLS, the handshake succeeds.
func tcpProbe(d Definition) probe {
	dialer := &net.Dialer{Timeout: d.probeTimeout()}
	dial, name := dialer.DialContext, "TCP"
	if d.TCPUseTLS {
		dial, name = (&tls.Dialer{NetDialer: dialer, Config: d.tlsConfig()}).DialContext, "TCP+TLS"
	}
	return func(ctx context.Context) Result {
		conn, err := dial(ctx, "tcp", d.TCP)
		if err != nil {
			return critical(err.Error())
		}
		conn.Close()
		return passing(fmt.Sprintf("%s connect %s: Success", name, d.TCP))
	}
}

// udpProbe sends an empty datagram, passes with any answer, and fails when the target's host says that the port is closed.
// Silence is no result: the check keeps the status that it has.
func udpProbe(d Definition) probe {
	dialer := &net.Dialer{Timeout: d.probeTimeout()}
	return func(ctx context.Context) Result {
		conn, err := dialer.DialContext(ctx, "udp", d.UDP)
		if err != nil {
			return critical(err.Error())
		}
		defer conn.Close()
		defer context.AfterFunc(ctx, func() { conn.Close() })()
		if err := exchange(conn, d.probeTimeout()); errors.Is(err, os.ErrDeadlineExceeded) {
			return Result{}
		} else if err != nil {
			return critical(err.Error())
		}
		return passing(fmt.Sprintf("UDP connect %s: Success", d.UDP))
	}
}

func exchange(conn net.Conn, timeout time.Duration) error {
	if err := conn.SetDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	if _, err := conn.Write(nil); err != nil {
		return err
	}
	_, err := conn.Read(make([]byte, 1))
	return err
}
