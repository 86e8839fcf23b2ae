//go:build !linux

package process

import "syscall"

// dieWithOwner does nothing: this system has no such wish, and the watchdog alone ends what an owner leaves.
func dieWithOwner(*syscall.SysProcAttr) {}
