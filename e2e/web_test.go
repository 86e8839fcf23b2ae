package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	consul "github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/require"
)

const (
	// atMost bounds each wait, on a busy machine.
	atMost = 4 * time.Minute
	// askAtMost bounds one request, so that what is away is asked again.
	askAtMost = 15 * time.Second
	askAgain  = 50 * time.Millisecond
	// dialAtMost bounds a connection to what may be cut off.
	dialAtMost = 2 * time.Second

	consulDomain = ".service.consul"
)

// web is a user of the services, who finds them in Consul.
type web struct {
	consul *consul.Client
	client *http.Client
	// failed, if set, is told of each attempt to upload that is made again.
	failed func(error)
}

func newWeb(c *consul.Client) web {
	w := web{consul: c}
	w.client = &http.Client{Transport: &http.Transport{DialContext: w.dial, MaxIdleConnsPerHost: 32}}
	return w
}

// instances are the addresses of a service's healthy instances.
func (w web) instances(ctx context.Context, service string) ([]string, error) {
	entries, _, err := w.consul.Health().Service(service, "", true, (&consul.QueryOptions{}).WithContext(ctx))
	if err != nil {
		return nil, err
	}
	return addresses(entries), nil
}

func addresses(entries []*consul.ServiceEntry) (list []string) {
	for _, entry := range entries {
		host := entry.Service.Address
		if host == "" {
			host = entry.Node.Address
		}
		list = append(list, net.JoinHostPort(host, strconv.Itoa(entry.Service.Port)))
	}
	return list
}

// find is the URL of one of a service's healthy instances.
func (w web) find(ctx context.Context, service string) (string, error) {
	list, err := w.instances(ctx, service)
	if err != nil {
		return "", err
	}
	if len(list) == 0 {
		return "", fmt.Errorf("consul knows no healthy instance of %s", service)
	}
	return "http://" + list[rand.IntN(len(list))], nil
}

// dial resolves names of Consul's domain as Consul's DNS does.
func (w web) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if service, ok := strings.CutSuffix(host, consulDomain); ok {
		list, err := w.instances(ctx, service)
		if err != nil {
			return nil, err
		}
		if len(list) == 0 {
			return nil, fmt.Errorf("dial %s: consul knows no healthy instance", address)
		}
		if host, _, err = net.SplitHostPort(list[rand.IntN(len(list))]); err != nil {
			return nil, err
		}
	}
	dialer := net.Dialer{Timeout: dialAtMost}
	return dialer.DialContext(ctx, network, net.JoinHostPort(host, port))
}

// refused is an answer that is no success.
type refused struct {
	status int
	text   string
}

func (r *refused) Error() string { return fmt.Sprintf("status %d: %s", r.status, r.text) }

// send sends a request and returns the body of a successful answer.
func (w web) send(ctx context.Context, method, url string, headers map[string]string, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, askAtMost)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	response, err := w.client.Do(request)
	if err != nil {
		w.client.CloseIdleConnections() // to what is cut off they would all have to time out
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode >= http.StatusMultipleChoices {
		err = &refused{response.StatusCode, string(text)}
	}
	return text, err
}

// call asks one of a service's instances, with a body as JSON unless that is
// nil, and reads the JSON of the answer unless that is nil.
func (w web) call(ctx context.Context, method, service, path string, body, answer any) error {
	at, err := w.find(ctx, service)
	if err != nil {
		return err
	}
	var data []byte
	headers := map[string]string{}
	if body != nil {
		if data, err = json.Marshal(body); err != nil {
			return err
		}
		headers["Content-Type"] = "application/json"
	}
	text, err := w.send(ctx, method, at+path, headers, data)
	if err != nil {
		return fmt.Errorf("%s %s%s: %w", method, service, path, err)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(text, answer)
}

// again tries until there is no error, or one that trying again cannot mend.
// What hangs, on a connection to what was cut off, is given up and tried anew.
func again(ctx context.Context, try func(context.Context) error) error {
	tick := time.NewTicker(askAgain)
	defer tick.Stop()
	var last error
	for {
		err := once(ctx, try)
		if ctx.Err() == nil || last == nil {
			last = err // later ones say only that the time is over
		}
		var answer *refused
		if err == nil || errors.As(err, &answer) && answer.status < http.StatusInternalServerError {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%w; at last: %w", ctx.Err(), last)
		}
	}
}

func once(ctx context.Context, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, askAtMost)
	defer cancel()
	return try(ctx)
}

// await tries until there is no error.
func (r run) await(what string, try func(context.Context) error) {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), atMost)
	defer cancel()
	require.NoError(r, again(ctx, try), what)
}

// call asks a service until it answers.
func (r run) call(method, service, path string, body, answer any) {
	r.Helper()
	r.await(method+" "+path, func(ctx context.Context) error { return r.web.call(ctx, method, service, path, body, answer) })
}
