// Package ports tells which TCP ports of this machine's loopback address are
// free, and who has those that are not. Both the offline stack and the real one
// look before they start, so that a port that is taken is told by name.
package ports

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"syscall"

	"github.com/drydock/drydock/host/filelock"
)

const address = "127.0.0.1"

// Holder is the program that has a port.
type Holder struct {
	PID     int // 0 when it cannot be known
	Program string
}

func (h Holder) String() string {
	if h.PID == 0 {
		return "another program"
	}
	return fmt.Sprintf("%s (pid %d)", h.Program, h.PID)
}

// Taken tells whether a program listens on the port, and which. The error says
// why this program could not, though nobody does.
func Taken(port int) (Holder, bool, error) {
	listener, err := listen(port)
	if err == nil {
		return Holder{}, false, listener.Close()
	}
	if pid, program, ok := holder(port); ok {
		return Holder{PID: pid, Program: program}, true, nil
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		return Holder{}, true, nil
	}
	return Holder{}, false, err
}

// Free finds a port below those that systems give to outgoing connections, one
// of which could take it while a program restarts. The lock keeps others who ask
// for one off it.
func Free() (int, *filelock.Lock, error) {
	const lowest, ports, tries = 10_000, 10_000, 100
	var err error
	for range tries {
		port := lowest + rand.IntN(ports)
		var lock *filelock.Lock
		if lock, err = filelock.TakePort("part", port); err != nil {
			continue
		}
		var listener net.Listener
		if listener, err = listen(port); err == nil {
			return port, lock, listener.Close()
		}
		lock.Release()
	}
	return 0, nil, fmt.Errorf("find a free port: %w", err)
}

func listen(port int) (net.Listener, error) {
	return net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(port)))
}
