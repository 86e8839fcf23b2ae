package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// toldJob is the job that subscribers are told of.
const toldJob = "told"

// tell has subscribers follow the event stream, registers a job, and returns how
// long it took until the last of them had been told where it was placed.
func (n *nomad) tell(ctx context.Context) (took time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, nomadWait)
	defer cancel()
	following, stop := context.WithCancel(ctx)
	group, following := errgroup.WithContext(following)
	defer func() {
		stop()
		_ = group.Wait() // either it has been waited for, or its errors come from the stop
	}()
	var ready atomic.Int64
	for range nomadSubscribers {
		c, err := dial(following, n.address)
		if err != nil {
			return 0, err
		}
		group.Go(func() error {
			defer c.close()
			return c.follow(&ready)
		})
		if err := c.send("/v1/event/stream", false); err != nil {
			return 0, err
		}
	}
	if err := n.until(following, func() (bool, error) { return ready.Load() == nomadSubscribers, nil }); err != nil {
		return 0, fmt.Errorf("wait for the subscribers: %w", err)
	}
	began := time.Now()
	if err := n.register(ctx, mockJob(toldJob, 1)); err != nil {
		return 0, err
	}
	if err := group.Wait(); err != nil {
		return 0, fmt.Errorf("follow the event stream: %w", err)
	}
	return time.Since(began), n.stop(ctx, toldJob)
}

// follow reads the event stream until it tells that the job has been placed. It
// counts itself as ready when the stream has begun.
func (c *connection) follow(ready *atomic.Int64) error {
	answer, err := http.ReadResponse(c.answers, nil)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("it answered %s", answer.Status)
	}
	ready.Add(1)
	for lines := bufio.NewReader(answer.Body); ; {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return err
		}
		if bytes.Contains(line, []byte(`"PlanResult"`)) && bytes.Contains(line, []byte(`"`+toldJob+`"`)) {
			return nil
		}
	}
}
