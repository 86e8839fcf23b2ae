package client

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/filelock"
)

// Holder is a program that holds a port; the zero value is one that could not be found out.
type Holder struct {
	PID     int
	Program string
}

// PortInUseError says that a static port is not free.
type PortInUseError struct {
	Port   int
	Holder Holder
}

func (e *PortInUseError) Error() string {
	if e.Holder.PID == 0 {
		return fmt.Sprintf("port %d is in use: stop what uses it, or use another port", e.Port)
	}
	return fmt.Sprintf("port %d is in use by %s (pid %d): stop it, or use another port", e.Port, e.Holder.Program, e.Holder.PID)
}

// port is a port of an allocation.
type port struct {
	label  string
	number int
}

func (p port) address() string { return net.JoinHostPort(loopback, strconv.Itoa(p.number)) }

// portLedger hands out ports. Between handing out and the task's own bind a port looks free to everyone, so that each is
// also held by a locked file, which other Nomads of this user heed, in this process or another.
type portLedger struct {
	dir string

	mu   sync.Mutex
	held map[int]*filelock.Lock
}

func newPortLedger() (*portLedger, error) {
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("drydock-ports-%d", os.Getuid()))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder for port locks: %w", err)
	}
	return &portLedger{dir: dir, held: map[int]*filelock.Lock{}}, nil
}

// takeAll takes all ports of a group's networks, or none.
func (l *portLedger) takeAll(networks []*api.NetworkResource) (taken []port, err error) {
	defer func() {
		if err != nil {
			for _, p := range taken {
				l.release(p.number)
			}
			taken = nil
		}
	}()
	for _, network := range networks {
		for _, want := range slices.Concat(network.ReservedPorts, network.DynamicPorts) {
			number := want.Value
			if number != 0 {
				err = l.takeStatic(number)
			} else {
				number, err = l.takeDynamic()
			}
			if err != nil {
				return taken, fmt.Errorf("port %q: %w", want.Label, err)
			}
			taken = append(taken, port{want.Label, number})
		}
	}
	return taken, nil
}

func (l *portLedger) takeStatic(number int) error {
	err := l.take(number)
	if errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, filelock.ErrHeld) {
		pid, program, _ := PortHolder(number)
		return &PortInUseError{Port: number, Holder: Holder{pid, program}}
	}
	return err
}

func (l *portLedger) takeDynamic() (int, error) {
	const count = maxDynamicPort - minDynamicPort + 1
	first := rand.IntN(count)
	for i := range count {
		number := minDynamicPort + (first+i)%count
		err := l.take(number)
		if err == nil {
			return number, nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) && !errors.Is(err, filelock.ErrHeld) {
			return 0, err
		}
	}
	return 0, fmt.Errorf("no port is free between %d and %d: stop some jobs", minDynamicPort, maxDynamicPort)
}

// take holds one port if nobody has it.
func (l *portLedger) take(number int) error {
	lock, err := filelock.Take(filepath.Join(l.dir, strconv.Itoa(number)))
	if err != nil {
		return err
	}
	probe, err := net.Listen("tcp4", port{number: number}.address())
	if err != nil {
		lock.Release()
		return fmt.Errorf("probe: %w", err)
	}
	probe.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held[number] = lock
	return nil
}

// release gives a port back.
func (l *portLedger) release(number int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if lock := l.held[number]; lock != nil {
		lock.Release()
		delete(l.held, number)
	}
}
