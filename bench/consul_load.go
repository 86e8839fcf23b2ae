package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/consul/api"
	"golang.org/x/sync/errgroup"
)

const (
	idlePeriod = 300 * time.Millisecond
	idleWait   = 30 * time.Second
	watchWait  = "5m" // longer than it takes until all of them are woken
	watchedKey = "bench/watched"
)

// consulLoad asks an agent without net/http's client, which would take more of
// the machine than the agent.
type consulLoad struct {
	address string
	pid     int
}

// repeat makes count requests over all connections, and returns how many were answered in a second.
func (l consulLoad) repeat(ctx context.Context, count int, path func(int) string, put bool) (float64, error) {
	var next atomic.Int64
	began := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	for range consulClients {
		group.Go(func() error {
			c, err := l.dial(ctx)
			if err != nil {
				return err
			}
			defer c.close()
			for i := int(next.Add(1)); i <= count; i = int(next.Add(1)) {
				if err := c.send(path(i), put); err != nil {
					return err
				}
				if err := c.receive(); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := group.Wait()
	return float64(count) / time.Since(began).Seconds(), err
}

// wake has watchers wait for a key, changes it, and returns how long it took
// until the last of them knew.
func (l consulLoad) wake(ctx context.Context, client *api.Client) (time.Duration, error) {
	write := (&api.WriteOptions{}).WithContext(ctx)
	if _, err := client.KV().Put(&api.KVPair{Key: watchedKey, Value: []byte("before")}, write); err != nil {
		return 0, err
	}
	_, meta, err := client.KV().Get(watchedKey, (&api.QueryOptions{}).WithContext(ctx))
	if err != nil {
		return 0, err
	}
	watching, stop := context.WithCancel(ctx)
	group, watching := errgroup.WithContext(watching)
	defer func() {
		stop()
		_ = group.Wait() // either it has been waited for, or its errors come from the stop
	}()
	var woken atomic.Int64
	for range consulWatchers {
		if err := l.watch(watching, group, meta.LastIndex, &woken); err != nil {
			return 0, err
		}
	}
	if err := untilIdle(ctx, l.pid); err != nil {
		return 0, err
	}
	if early := woken.Load(); early > 0 {
		return 0, fmt.Errorf("%d watchers were woken by nothing", early)
	}
	began := time.Now()
	if _, err := client.KV().Put(&api.KVPair{Key: watchedKey, Value: []byte("after")}, write); err != nil {
		return 0, err
	}
	err = group.Wait()
	return time.Since(began), err
}

// watch adds a watcher to the group: a connection that asks for what comes after an index.
func (l consulLoad) watch(ctx context.Context, group *errgroup.Group, index uint64, woken *atomic.Int64) error {
	c, err := l.dial(ctx)
	if err != nil {
		return err
	}
	group.Go(func() error {
		defer c.close()
		defer woken.Add(1)
		return c.receive()
	})
	return c.send(fmt.Sprintf("/v1/kv/%s?index=%d&wait=%s", watchedKey, index, watchWait), false)
}

// consulConnection is a connection that requests follow each other on. It ends with its context.
type consulConnection struct {
	conn    net.Conn
	answers *bufio.Reader
	stop    func() bool
}

func (l consulLoad) dial(ctx context.Context) (*consulConnection, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", l.address)
	if err != nil {
		return nil, err
	}
	return &consulConnection{conn, bufio.NewReader(conn), context.AfterFunc(ctx, func() { conn.Close() })}, nil
}

func (c *consulConnection) close() {
	c.stop()
	c.conn.Close()
}

// send asks for a path, or puts something there.
func (c *consulConnection) send(path string, put bool) error {
	const value = `{"name": "a value as long as many", "size": 100, "of": "an ordinary configuration setting, this"}`
	request := "GET " + path + " HTTP/1.1\r\nHost: bench\r\n\r\n"
	if put {
		request = fmt.Sprintf("PUT %s HTTP/1.1\r\nHost: bench\r\nContent-Length: %d\r\n\r\n%s", path, len(value), value)
	}
	_, err := io.Copy(c.conn, strings.NewReader(request))
	return err
}

func (c *consulConnection) receive() error {
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

// untilIdle waits until a process does nothing for some time.
func untilIdle(ctx context.Context, pid int) error {
	ctx, cancel := context.WithTimeout(ctx, idleWait)
	defer cancel()
	ticker := time.NewTicker(idlePeriod)
	defer ticker.Stop()
	for before := -1.; ; {
		used := processorOf(pid)
		if used == before {
			return nil
		}
		before = used
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("wait until the agent is idle: %w", context.Cause(ctx))
		}
	}
}
