package client

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hashicorp/nomad/api"
)

// awaitPrevious waits until the allocation that this one replaces has ended, if
// it is on this node, and takes over its ephemeral disk if the group wants it.
func (a *allocRunner) awaitPrevious() error {
	id := a.latest().PreviousAllocation
	if id == "" {
		return nil
	}
	migrating := false
	previous := a.node.runner(id)
	disk := a.group().EphemeralDisk
	if previous == nil && wants(disk, func(d *api.EphemeralDisk) *bool { return d.Migrate }) && a.node.options.Peer != nil {
		if node := a.node.options.Peer(id); node != nil {
			previous, migrating = node.runnerOf(id), true
		}
	}
	if previous == nil {
		return nil
	}
	select {
	case <-previous.over:
	case <-a.stopping:
		return nil
	case <-a.ctx.Done():
		return nil
	}
	if !migrating && !wants(disk, func(d *api.EphemeralDisk) *bool { return d.Sticky }) {
		return nil
	}
	return a.takeDisk(previous)
}

func wants(disk *api.EphemeralDisk, what func(*api.EphemeralDisk) *bool) bool {
	if disk == nil {
		return false
	}
	asked := what(disk)
	return asked != nil && *asked
}

func (c *Client) runnerOf(id string) *allocRunner {
	if s := c.current(); s != nil {
		return s.runner(id)
	}
	return nil
}

// takeDisk copies what an ephemeral disk keeps: the shared data and the local
// folders of the tasks.
func (a *allocRunner) takeDisk(previous *allocRunner) error {
	folders := map[string]string{previous.dir.Data(): a.dir.Data()}
	for _, name := range a.taskNames() {
		folders[previous.dir.Task(name).Local()] = a.dir.Task(name).Local()
	}
	if err := a.dir.Build(a.taskNames()); err != nil {
		return err
	}
	for from, to := range folders {
		if err := copyFolder(from, to); err != nil {
			return fmt.Errorf("take over the ephemeral disk of allocation %s: %w", previous.latest().ID, err)
		}
	}
	return nil
}

// copyFolder copies regular files and folders; one that is not there is empty.
func copyFolder(from, to string) error {
	if _, err := os.Stat(from); err != nil {
		return nil
	}
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		target := filepath.Join(to, relative)
		switch {
		case entry.IsDir():
			return os.MkdirAll(target, info.Mode().Perm())
		case info.Mode().IsRegular():
			return copyFile(path, target, info.Mode().Perm())
		}
		return nil
	})
}

func copyFile(from, to string, mode fs.FileMode) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	if _, err := target.ReadFrom(source); err != nil {
		target.Close()
		return err
	}
	return target.Close()
}
