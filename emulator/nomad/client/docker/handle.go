package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/drydock/drydock/emulator/nomad/client/driver"
)

// drainTimeout bounds the wait for the rest of what a container has printed.
const drainTimeout = 2 * time.Second

// handle is a started container.
type handle struct {
	driver  *Driver
	id      string
	network *driver.Network
	done    chan struct{}
	exit    driver.Exit // set before done is closed

	mu     sync.Mutex
	before sample // what was measured last
}

// Done implements driver.Handle.
func (h *handle) Done() <-chan struct{} { return h.done }

// Exit implements driver.Handle.
func (h *handle) Exit() driver.Exit { return h.exit }

// Network implements driver.Handle.
func (h *handle) Network() *driver.Network { return h.network }

// wait waits for the end, and removes the container.
func (h *handle) wait(output io.Closer, copied <-chan struct{}) {
	h.exit = h.await()
	select {
	case <-copied:
	case <-time.After(drainTimeout):
	}
	_ = output.Close()
	<-copied
	h.driver.remove(h.id)
	close(h.done)
}

func (h *handle) await() driver.Exit {
	ctx := context.Background()
	var ended struct{ StatusCode int }
	if err := h.driver.engine.post(ctx, "/containers/"+h.id+"/wait", nil, &ended); err != nil {
		return driver.Exit{Code: -1, Err: fmt.Errorf("wait for the container: %w", err)}
	}
	exit := driver.Exit{Code: ended.StatusCode}
	if found, err := h.driver.engine.inspect(ctx, h.id); err == nil {
		exit.OOMKilled = found.State.OOMKilled
	}
	switch {
	case exit.OOMKilled:
		exit.Err = errors.New("OOM Killed")
	case exit.Code != 0:
		exit.Err = worded("Docker container exited with non-zero exit code: %d", exit.Code)
	}
	return exit
}

// Stop implements driver.Handle.
func (h *handle) Stop(signal syscall.Signal, timeout time.Duration) {
	_ = h.Signal(signal) // it has ended, or will be killed
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	for {
		select {
		case <-h.done:
			return
		case <-timer.C:
			if err := h.Signal(syscall.SIGKILL); err != nil {
				h.driver.log.Warn("a container is not killed, trying again", "container", h.id, "error", err)
			}
			timer.Reset(time.Second)
		}
	}
}

// Signal implements driver.Handle.
func (h *handle) Signal(signal syscall.Signal) error {
	select {
	case <-h.done:
		return errors.New("the container has ended")
	default:
	}
	ctx, cancel := context.WithTimeout(context.Background(), removeTimeout)
	defer cancel()
	return h.driver.engine.post(ctx, "/containers/"+h.id+"/kill?signal="+strconv.Itoa(int(signal)), nil, nil)
}
