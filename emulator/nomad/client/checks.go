package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/nomad/api"
)

// eagerInterval is the time between probes until the first that passes, so that a start is not longer than it must be.
const eagerInterval = 20 * time.Millisecond

// check probes one check of a service for as long as the allocation runs.
type check struct {
	n       *Nomad
	name    string
	spec    *api.ServiceCheck
	service *service
	address string
	path    string
	body    string
	header  http.Header
	restart *task         // what check_restart restarts; nil without one
	wake    chan struct{} // a task of the service has started: probe now
	client  *http.Client

	// Guarded by n.mu.
	passing  bool
	output   string    // of the last probe
	start    int       // how often its tasks have ended: what a probe finds is of the start it began in
	settled  bool      // it has passed since then
	passes   int       // in a row
	failures int       // in a row
	began    time.Time // when a task last started, for the grace of check_restart
	counted  time.Time // when check_restart last counted a failure
	strikes  int       // how many it has counted in a row
}

func checkName(s *api.Service, c *api.ServiceCheck) string {
	if c.Name != "" {
		return c.Name
	}
	return fmt.Sprintf("service: %q check", s.Name)
}

func (a *allocation) newCheck(s *service, of *api.Service, spec *api.ServiceCheck, resolve *resolver) (*check, error) {
	label := spec.PortLabel
	if label == "" {
		label = of.PortLabel
	}
	c := &check{
		n: a.n, spec: spec, service: s,
		name:    resolve.text(checkName(of, spec)),
		address: port{number: a.resolvePort(resolve, label)}.address(),
		path:    resolve.text(spec.Path),
		body:    resolve.text(spec.Body),
		header:  http.Header{},
		wake:    make(chan struct{}, 1),
		output:  "not probed yet",
		// A connection for each probe, and no proxy between: the check asks whether the task takes connections.
		client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	}
	for name, values := range spec.Header {
		for _, value := range values {
			c.header.Add(resolve.text(name), resolve.text(value))
		}
	}
	if spec.CheckRestart != nil && spec.CheckRestart.Limit > 0 {
		c.restart = s.tasks[0]
		for _, t := range s.tasks {
			if t.spec.Name == spec.TaskName || spec.TaskName == "" && t.spec.Name == of.TaskName {
				c.restart = t
			}
		}
	}
	return c, resolve.err
}

// run probes until ctx ends.
func (c *check) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.wake:
		case <-timer.C:
		}
		timer.Reset(c.round(ctx))
	}
}

// round probes once if the tasks run, and returns the time until the next round.
func (c *check) round(ctx context.Context) time.Duration {
	c.n.mu.Lock()
	start, ready := c.start, c.service.runningLocked()
	c.n.mu.Unlock()
	if !ready {
		return c.spec.Interval // or until woken
	}
	output, err := c.probe(ctx)
	if ctx.Err() != nil {
		return c.spec.Interval
	}
	if err != nil {
		output = err.Error()
	}
	c.n.mu.Lock()
	defer c.n.mu.Unlock()
	if c.start == start {
		c.recordLocked(err == nil, output)
	}
	if c.settled {
		return c.spec.Interval
	}
	return eagerInterval
}

// recordLocked takes in the result of a probe.
func (c *check) recordLocked(ok bool, output string) {
	was := c.passing
	c.output = output
	if ok {
		c.passes, c.failures, c.strikes = c.passes+1, 0, 0
		c.passing = c.passing || c.passes >= c.spec.SuccessBeforePassing
	} else {
		c.passes, c.failures = 0, c.failures+1
		c.passing = c.passing && c.failures < c.spec.FailuresBeforeCritical
		c.strikeLocked()
	}
	c.settled = c.settled || c.passing
	if c.passing != was {
		c.n.notifyLocked()
		c.n.log.Info("check", "allocation", c.service.entry.AllocationID, "check", c.name, "passing", c.passing, "output", output)
	}
}

// strikeLocked counts a failure for check_restart: at the pace of the interval, however often it is probed.
func (c *check) strikeLocked() {
	now := time.Now()
	if c.restart == nil || now.Sub(c.began) < *c.spec.CheckRestart.Grace || now.Sub(c.counted) < c.spec.Interval {
		return
	}
	c.counted = now
	if c.strikes++; c.strikes >= c.spec.CheckRestart.Limit {
		c.strikes = 0
		c.restart.askRestart(fmt.Sprintf("check %q failed %d times: %s", c.name, c.spec.CheckRestart.Limit, c.output))
	}
}

// wakeChecksLocked has the checks of a task that has started probed now.
func (a *allocation) wakeChecksLocked(t *task) {
	for c := range a.checksOf(t) {
		c.began = time.Now()
		select {
		case c.wake <- struct{}{}:
		default:
		}
	}
}

// failChecksLocked has the checks of a task that has ended begin anew.
func (a *allocation) failChecksLocked(t *task) {
	for c := range a.checksOf(t) {
		c.start++
		c.passing, c.settled, c.passes, c.failures, c.strikes = false, false, 0, 0, 0
		c.output = fmt.Sprintf("task %q does not run", t.spec.Name)
	}
}

func (a *allocation) checksOf(t *task) iter.Seq[*check] {
	return func(yield func(*check) bool) {
		for _, s := range a.services {
			if !slices.Contains(s.tasks, t) {
				continue
			}
			for _, c := range s.checks {
				if !yield(c) {
					return
				}
			}
		}
	}
}

// probe asks the task once.
func (c *check) probe(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, c.spec.Timeout)
	defer cancel()
	if c.spec.Type == "tcp" {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", c.address)
		if err != nil {
			return "", err
		}
		return "connected to " + c.address, conn.Close()
	}
	method := c.spec.Method
	if method == "" {
		method = http.MethodGet
	}
	request, err := http.NewRequestWithContext(ctx, method, c.url(), strings.NewReader(c.body))
	if err != nil {
		return "", err
	}
	request.Header = c.header.Clone()
	request.Host = c.header.Get("Host")
	response, err := c.client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxLine))
	output := fmt.Sprintf("%s %s: %s", method, request.URL, response.Status)
	if response.StatusCode/100 != 2 {
		return "", errors.New(output)
	}
	return output, nil
}

func (c *check) url() string { return "http://" + c.address + "/" + strings.TrimPrefix(c.path, "/") }
