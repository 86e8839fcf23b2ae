package docker

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/drydock/drydock/emulator/nomad/client/driver"
)

// mount lets the container see its folders, and what the job names.
func (r *createRequest) mount(task driver.Task, c *config) error {
	r.HostConfig.Binds = []string{task.Dir.Shared + ":/alloc", task.Dir.Local() + ":/local", task.Dir.Secrets() + ":/secrets"}
	for _, m := range task.Mounts {
		bind := m.Source + ":" + m.Destination
		if m.ReadOnly {
			bind += ":ro"
		}
		r.HostConfig.Binds = append(r.HostConfig.Binds, bind)
	}
	for _, volume := range c.Volumes {
		source, rest, found := strings.Cut(volume, ":")
		if !found {
			return fmt.Errorf("invalid docker volume: %q", volume)
		}
		source, err := inTask(task, source)
		if err != nil {
			return err
		}
		r.HostConfig.Binds = append(r.HostConfig.Binds, source+":"+rest)
	}
	for i := range c.Mounts {
		m, err := c.Mounts[i].request(task)
		if err != nil {
			return err
		}
		r.HostConfig.Mounts = append(r.HostConfig.Mounts, m)
	}
	return nil
}

// inTask resolves a path of the host: a relative one is below the task directory.
func inTask(task driver.Task, path string) (string, error) {
	if filepath.IsAbs(path) {
		return filepath.Clean(path), nil
	}
	if path = filepath.Clean(path); !filepath.IsLocal(path) {
		return "", errors.New("volumes are not enabled; cannot mount host paths outside of the task directory: use an absolute path")
	}
	return filepath.Join(task.Dir.Root, path), nil
}

func (m *mount) request(task driver.Task) (r mountRequest, err error) {
	r = mountRequest{Type: m.Type, Source: m.Source, Target: m.Target, ReadOnly: m.ReadOnly}
	switch m.Type {
	case "bind":
		if r.Source, err = inTask(task, m.Source); err != nil {
			return r, err
		}
		if m.Bind != nil {
			r.BindOptions = map[string]any{"Propagation": m.Bind.Propagation}
		}
	case "tmpfs":
		if m.Tmpfs != nil {
			r.TmpfsOptions = map[string]any{"SizeBytes": m.Tmpfs.Size, "Mode": m.Tmpfs.Mode}
		}
	case "", "volume":
		r.Type = "volume"
		if m.Volume != nil {
			r.VolumeOptions = map[string]any{"NoCopy": m.Volume.NoCopy, "Labels": merged(m.Volume.Labels)}
		}
	default:
		return r, fmt.Errorf("invalid mount type: %q", m.Type)
	}
	return r, nil
}
