//go:build !linux

package rawexec

import (
	"errors"

	"github.com/drydock/drydock/emulator/nomad/client/driver"
)

// canIsolate says that this system cannot.
func canIsolate() error { return errors.New("this system cannot isolate tasks") }

func isolate(driver.Task) confinement { return nil }

func join(int, string) confinement { return nil }

func findIsolated(name, root, path string) (string, error) { return findProgram(name, root, path) }
