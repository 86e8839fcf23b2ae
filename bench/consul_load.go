package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/hashicorp/consul/api"
	"golang.org/x/sync/errgroup"
)

const (
	watchWait  = "5m" // longer than it takes until all of them are woken
	watchedKey = "bench/watched"
)

// consulLoad asks an agent.
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
			c, err := dial(ctx, l.address)
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
	c, err := dial(ctx, l.address)
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
