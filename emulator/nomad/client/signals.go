package client

import (
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// signalOr finds a signal by its name, with or without SIG; the other one when
// there is none of this name.
func signalOr(name string, other syscall.Signal) syscall.Signal {
	name = strings.ToUpper(name)
	if !strings.HasPrefix(name, "SIG") {
		name = "SIG" + name
	}
	if signal := unix.SignalNum(name); signal != 0 {
		return signal
	}
	return other
}
