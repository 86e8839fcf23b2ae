package docker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	defaultAddress = "unix:///var/run/docker.sock"

	statusNotFound = http.StatusNotFound
	statusConflict = http.StatusConflict

	// removeTimeout is how long an engine may take to kill and remove a container.
	removeTimeout = time.Minute
	// idleTimeout is how long an unused connection to the engine is kept.
	idleTimeout = time.Minute
)

// engine is the HTTP API of a container engine.
type engine struct {
	client *http.Client
	base   string // of all URLs
}

func newEngine(address string) (*engine, error) {
	if address == "" {
		address = defaultAddress
	}
	at, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("docker: address %q: %w", address, err)
	}
	network, to := at.Scheme, at.Host
	if network == "unix" {
		to = at.Path
	}
	if network != "unix" && network != "tcp" || to == "" {
		return nil, fmt.Errorf("docker: address %q is neither unix:///path nor tcp://host:port: correct DOCKER_HOST", address)
	}
	transport := &http.Transport{IdleConnTimeout: idleTimeout, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, to)
	}}
	return &engine{client: &http.Client{Transport: transport}, base: "http://docker"}, nil
}

// engineError is what the engine refuses a request with.
type engineError struct {
	status  int
	message string
}

func (e *engineError) Error() string { return "Error response from daemon: " + e.message }

func isStatus(err error, status int) bool {
	e, ok := errors.AsType[*engineError](err)
	return ok && e.status == status
}

func (e *engine) get(ctx context.Context, path string, out any) error {
	return e.call(ctx, http.MethodGet, path, nil, out)
}

func (e *engine) post(ctx context.Context, path string, in, out any) error {
	return e.call(ctx, http.MethodPost, path, in, out)
}

func (e *engine) delete(ctx context.Context, path string) error {
	return e.call(ctx, http.MethodDelete, path, nil, nil)
}

// call sends JSON, or nothing, and decodes JSON, or drops it.
func (e *engine) call(ctx context.Context, method, path string, in, out any) error {
	header := http.Header{}
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
		header.Set("Content-Type", "application/json")
	}
	response, err := e.send(ctx, method, path, header, body)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if out == nil {
		_, err = io.Copy(io.Discard, response.Body)
		return err
	}
	return json.NewDecoder(response.Body).Decode(out)
}

// send makes a request. The caller closes the body of the answer.
func (e *engine) send(ctx context.Context, method, path string, header http.Header, body io.Reader) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, e.base+path, body)
	if err != nil {
		return nil, err
	}
	maps.Copy(request.Header, header)
	response, err := e.client.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode < http.StatusBadRequest {
		return response, nil
	}
	defer response.Body.Close()
	var refused struct{ Message string }
	text, err := io.ReadAll(response.Body)
	if err != nil || json.Unmarshal(text, &refused) != nil || refused.Message == "" {
		refused.Message = strings.TrimSpace(string(text))
	}
	return nil, &engineError{status: response.StatusCode, message: refused.Message}
}

// duplex is a connection of which the writing half can be closed.
type duplex interface {
	io.ReadWriteCloser
	CloseWrite() error
}

// upgrade makes a request whose connection carries a stream from then on.
func (e *engine) upgrade(ctx context.Context, path string, in any) (duplex, error) {
	header := http.Header{"Connection": {"Upgrade"}, "Upgrade": {"tcp"}, "Content-Type": {"application/json"}}
	text := []byte("{}")
	if in != nil {
		var err error
		if text, err = json.Marshal(in); err != nil {
			return nil, err
		}
	}
	response, err := e.send(ctx, http.MethodPost, path, header, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	stream, ok := response.Body.(duplex)
	if !ok {
		_ = response.Body.Close()
		return nil, fmt.Errorf("the engine answers %s rather than with a stream", response.Status)
	}
	return stream, nil
}

// create makes a container and returns its ID.
func (e *engine) create(ctx context.Context, name string, request *createRequest) (string, error) {
	var made struct{ ID string }
	err := e.post(ctx, "/containers/create?name="+url.QueryEscape(name), request, &made)
	return made.ID, err
}

// container is what the engine knows of a container.
type container struct {
	State struct {
		ExitCode  int
		OOMKilled bool
		Error     string
	}
	NetworkSettings struct {
		Networks map[string]struct{ IPAddress string }
	}
}

func (e *engine) inspect(ctx context.Context, id string) (container, error) {
	var c container
	return c, e.get(ctx, "/containers/"+id+"/json", &c)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// worded makes an error that people read in Nomad's own words.
func worded(format string, values ...any) error { return fmt.Errorf(format, values...) }
