// Package docker is the driver docker: its tasks are containers of the engine
// that answers at an address. Nodes of the emulator have it; where no engine
// answers it is not detected, and jobs that need it are not placed.
//
// It speaks to the engine over plain HTTP: of the engine's API it needs a dozen
// requests, where the official client brings in a hundred packages.
package docker

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/drydock/drydock/emulator/nomad/client/driver"
)

// answerTimeout is how long an engine may take to say what it is.
const answerTimeout = 5 * time.Second

// Driver is the driver docker.
type Driver struct {
	engine *engine
	log    *slog.Logger
	tidy   sync.Once
}

// New returns the driver of the engine at the address, in the form of
// DOCKER_HOST: unix:///path or tcp://host:port, without TLS. Empty is where
// engines are by default.
func New(address string, logger *slog.Logger) (*Driver, error) {
	e, err := newEngine(address)
	if err != nil {
		return nil, err
	}
	return &Driver{engine: e, log: logger}, nil
}

// Name is docker.
func (d *Driver) Name() string { return "docker" }

// Close closes idle connections to the engine. Tasks are not touched.
func (d *Driver) Close() { d.engine.client.CloseIdleConnections() }

// Capabilities says that tasks see their own directory alone.
func (d *Driver) Capabilities() driver.Capabilities { return driver.Capabilities{Isolated: true} }

// Fingerprint asks the engine what it is.
func (d *Driver) Fingerprint(ctx context.Context) driver.Fingerprint {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	var info struct {
		ServerVersion string
		OSType        string
		Runtimes      map[string]any
	}
	if err := d.engine.get(ctx, "/info", &info); err != nil {
		return driver.Fingerprint{Description: "Failed to connect to docker daemon"}
	}
	return driver.Fingerprint{Detected: true, Healthy: true, Description: "Healthy", Attributes: map[string]string{
		"driver.docker.version": info.ServerVersion, "driver.docker.os_type": info.OSType,
		"driver.docker.runtimes": strings.Join(sortedKeys(info.Runtimes), ","), "driver.docker.volumes.enabled": "true",
	}}
}

// Start starts a container. Every failure may go by itself: an image may appear.
func (d *Driver) Start(ctx context.Context, task driver.Task) (driver.Handle, error) {
	d.tidy.Do(func() { d.removeLeft(ctx) })
	var c config
	if err := json.Unmarshal(task.Config, &c); err != nil {
		return nil, fmt.Errorf("failed to decode driver config: %w", err)
	}
	h, err := d.start(ctx, task, &c)
	if err != nil {
		return nil, &driver.RecoverableError{Err: err}
	}
	return h, nil
}

func (d *Driver) start(ctx context.Context, task driver.Task, c *config) (*handle, error) {
	image, err := d.prepareImage(ctx, task, c)
	if err != nil {
		return nil, err
	}
	request, err := newRequest(task, c)
	if err != nil {
		return nil, worded("Failed to create container configuration for image %q (%q): %w", c.Image, image, err)
	}
	id, err := d.create(ctx, task, request)
	if err != nil {
		return nil, worded("Failed to create container: %w", err)
	}
	h, err := d.run(ctx, task, c, id)
	if err != nil {
		d.remove(id)
		return nil, err
	}
	return h, nil
}

// create makes the container, in the place of one that was left of the same task.
func (d *Driver) create(ctx context.Context, task driver.Task, request *createRequest) (id string, err error) {
	name := containerName(task)
	id, err = d.engine.create(ctx, name, request)
	if !isStatus(err, statusConflict) {
		return id, err
	}
	d.remove(name)
	return d.engine.create(ctx, name, request)
}

func containerName(task driver.Task) string { return task.Name + "-" + task.Allocation.ID }

// run starts the container, and what takes what it prints.
func (d *Driver) run(ctx context.Context, task driver.Task, c *config, id string) (*handle, error) {
	output, err := d.engine.upgrade(ctx, "/containers/"+id+"/attach?stream=1&stdout=1&stderr=1", nil)
	if err != nil {
		return nil, worded("Failed to attach to container %s: %w", id, err)
	}
	if err := d.engine.post(ctx, "/containers/"+id+"/start", nil, nil); err != nil {
		_ = output.Close()
		return nil, worded("Failed to start container %s: %w", id, err)
	}
	h := &handle{driver: d, id: id, done: make(chan struct{})}
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		_ = split(output, c.TTY, task.Stdout, task.Stderr)
	}()
	h.network = d.network(ctx, task, c, id)
	go h.wait(output, copied)
	return h, nil
}

// remove removes a container with its volumes, whatever it does.
func (d *Driver) remove(container string) {
	ctx, cancel := context.WithTimeout(context.Background(), removeTimeout)
	defer cancel()
	err := d.engine.delete(ctx, "/containers/"+container+"?force=1&v=1")
	if err != nil && !isStatus(err, statusNotFound) {
		d.log.Warn("a container is not removed", "container", container, "error", err)
	}
}
