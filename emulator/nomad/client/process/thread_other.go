//go:build !linux

package process

import "syscall"

// dieWithOwner does nothing: this system has no such wish, and the watchdog alone ends what an owner leaves.
func dieWithOwner(*syscall.SysProcAttr) {}

// isMainThread is false: no thread is confined here.
func isMainThread() bool { return false }
