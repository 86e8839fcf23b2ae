package checks

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"

	"golang.org/x/net/http2"
)

// h2pingProbe passes when the target answers an HTTP/2 ping.
func h2pingProbe(d Definition) probe {
	dial := new(net.Dialer).DialContext
	if d.H2PingUseTLS {
		config := d.tlsConfig()
		config.NextProtos = []string{http2.NextProtoTLS}
		dial = (&tls.Dialer{Config: config}).DialContext
	}
	return func(ctx context.Context) Result {
		ctx, cancel := context.WithTimeout(ctx, d.probeTimeout())
		defer cancel()
		conn, err := dial(ctx, "tcp", d.H2PING)
		if err != nil {
			return critical("Failed to dial to " + d.H2PING + ": " + err.Error())
		}
		defer conn.Close()
		defer context.AfterFunc(ctx, func() { conn.Close() })()
		err = pingHTTP2(conn)
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		if err != nil {
			return critical("HTTP2 ping failed: " + err.Error())
		}
		return passing("HTTP2 ping was successful")
	}
}

// pingHTTP2 opens an HTTP/2 connection as a client and waits for the answer to a ping.
func pingHTTP2(conn io.ReadWriter) error {
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		return err
	}
	framer := http2.NewFramer(conn, conn)
	if err := framer.WriteSettings(); err != nil {
		return err
	}
	if err := framer.WritePing(false, [8]byte{}); err != nil {
		return err
	}
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return err
		}
		switch frame := frame.(type) {
		case *http2.PingFrame:
			if frame.IsAck() {
				return nil
			}
		case *http2.GoAwayFrame:
			return fmt.Errorf("connection refused: %s", frame.ErrCode)
		case *http2.SettingsFrame:
			if frame.IsAck() {
				continue
			}
			if err := framer.WriteSettingsAck(); err != nil {
				return err
			}
		}
	}
}
