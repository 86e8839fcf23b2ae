package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// connection is one that requests follow each other on, without net/http's
// client, which would take more of the machine than who is asked. It ends with
// its context.
type connection struct {
	conn    net.Conn
	answers *bufio.Reader
	stop    func() bool
}

func dial(ctx context.Context, address string) (*connection, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return &connection{conn, bufio.NewReader(conn), context.AfterFunc(ctx, func() { conn.Close() })}, nil
}

func (c *connection) close() {
	c.stop()
	c.conn.Close()
}

// send asks for a path, or puts something there.
func (c *connection) send(path string, put bool) error {
	const value = `{"name": "a value as long as many", "size": 100, "of": "an ordinary configuration setting, this"}`
	request := "GET " + path + " HTTP/1.1\r\nHost: bench\r\n\r\n"
	if put {
		request = fmt.Sprintf("PUT %s HTTP/1.1\r\nHost: bench\r\nContent-Length: %d\r\n\r\n%s", path, len(value), value)
	}
	_, err := io.Copy(c.conn, strings.NewReader(request))
	return err
}

func (c *connection) receive() error {
	answer, err := http.ReadResponse(c.answers, nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("it answered %s", answer.Status)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}
