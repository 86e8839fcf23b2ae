//go:build !linux

package cgroup

import (
	"errors"
	"syscall"
)

// Hierarchy is where groups are made: nowhere on this system.
type Hierarchy struct{}

// Find says that this system has no control groups.
func Find() (*Hierarchy, error) {
	return nil, errors.New("this system has no control groups to limit memory and CPU")
}

// Group is a group with the processes of one task.
type Group struct{}

// Make is never called: there is no hierarchy.
func (*Hierarchy) Make(string, Limits) (*Group, error) { return &Group{}, nil }

// Confine does nothing.
func (*Group) Confine(*syscall.SysProcAttr) (restore func() error, err error) {
	return func() error { return nil }, nil
}

// Usage is nothing.
func (*Group) Usage() (Usage, error) { return Usage{}, nil }

// OOMKilled is false.
func (*Group) OOMKilled() bool { return false }

// Remove does nothing.
func (*Group) Remove() error { return nil }
