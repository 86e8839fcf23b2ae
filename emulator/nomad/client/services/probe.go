package services

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	consul "github.com/hashicorp/consul/api"
)

const (
	// firstPause is the time before the second probe of a check that has not
	// passed yet. It doubles up to the interval, so that a start is not longer
	// than it must be.
	firstPause = 20 * time.Millisecond
	// maxOutput is how much of an answer is kept, in bytes.
	maxOutput = 4 << 10
)

// probe runs a check with the provider nomad until the context ends.
func (a *allocation) probe(ctx context.Context, w *watched) {
	find := w.probeTCP
	if w.spec.Type == "http" {
		find = newHTTPProbe(w.check).run
	}
	pace := pace{interval: w.spec.Interval}
	for {
		probing, cancel := context.WithTimeout(ctx, w.spec.Timeout)
		found := find(probing)
		cancel()
		if ctx.Err() != nil {
			return
		}
		a.record(w.id, found)
		if !pace.wait(ctx, w.wake, found.status == consul.HealthPassing) {
			return
		}
	}
}

// pace is the time between the rounds of a check.
type pace struct {
	interval time.Duration
	pause    time.Duration // before the next round; 0 before the first
}

// wait waits for the next round: sooner until the first that passed, and anew
// when woken. It reports whether there is one, rather than the end of ctx.
func (p *pace) wait(ctx context.Context, wake <-chan struct{}, passed bool) bool {
	p.pause = min(max(2*p.pause, firstPause), p.interval)
	if passed {
		p.pause = p.interval
	}
	timer := time.NewTimer(p.pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-wake:
		p.pause = 0
	case <-ctx.Done():
		return false
	}
	return true
}

func (c check) probeTCP(ctx context.Context) result {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", c.endpoint.String())
	if err != nil {
		return result{status: consul.HealthCritical, output: err.Error()}
	}
	_ = conn.Close()
	return result{status: consul.HealthPassing, output: "nomad: tcp ok"}
}

// httpProbe asks the task over HTTP.
type httpProbe struct {
	check
	client *http.Client
}

func newHTTPProbe(c check) *httpProbe {
	// A connection for each probe, and no proxy between: the check asks whether
	// the task takes connections.
	return &httpProbe{check: c, client: &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: c.spec.TLSSkipVerify, ServerName: c.spec.TLSServerName},
	}}}
}

func (p *httpProbe) run(ctx context.Context) result {
	response, err := p.ask(ctx)
	if err != nil {
		return result{status: consul.HealthCritical, output: "nomad: " + err.Error()}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxOutput))
	switch {
	case err != nil:
		return result{status: consul.HealthCritical, output: "nomad: " + err.Error(), code: response.StatusCode}
	case response.StatusCode/100 != 2:
		return result{status: consul.HealthCritical, output: string(body), code: response.StatusCode}
	}
	return result{status: consul.HealthPassing, output: "nomad: http ok", code: response.StatusCode}
}

func (p *httpProbe) ask(ctx context.Context) (*http.Response, error) {
	method := p.spec.Method
	if method == "" {
		method = http.MethodGet
	}
	request, err := http.NewRequestWithContext(ctx, method, p.url, strings.NewReader(p.body))
	if err != nil {
		return nil, err
	}
	for name, values := range p.header {
		for _, value := range values {
			request.Header.Add(name, value)
		}
	}
	if host := request.Header.Get("Host"); host != "" {
		request.Host = host
	}
	return p.client.Do(request)
}
