package client

import (
	"fmt"

	"github.com/drydock/drydock/emulator/nomad/client/driver"
	"github.com/drydock/drydock/emulator/nomad/jobs"
)

// mounts are the volumes of the host that the task sees.
func (t *taskRunner) mounts() ([]driver.Mount, error) {
	spec := t.spec()
	if len(spec.VolumeMounts) == 0 {
		return nil, nil
	}
	if !t.capabilities().Isolated {
		return nil, fmt.Errorf("volumes: task driver %q for %q does not support host volumes", spec.Driver, spec.Name)
	}
	env := t.environment()
	var mounts []driver.Mount
	for _, mount := range spec.VolumeMounts {
		source, readOnly, err := t.volume(*mount.Volume)
		if err != nil {
			return nil, err
		}
		asked := mount.ReadOnly != nil && *mount.ReadOnly
		destination := env.Interpolate(*mount.Destination)
		mounts = append(mounts, driver.Mount{Source: source, Destination: destination, ReadOnly: readOnly || asked})
	}
	return mounts, nil
}

// volume finds a volume of the group on the node.
func (t *taskRunner) volume(name string) (folder string, readOnly bool, err error) {
	request := t.alloc.group().Volumes[name]
	if request == nil || request.Type != "host" {
		return "", false, fmt.Errorf("volumes: volume %q of task %q is none of the host", name, t.spec().Name)
	}
	node := t.alloc.node.node.Load()
	source := jobs.VolumeSource(request, t.alloc.alloc.Name)
	volume, found := node.HostVolumes[source]
	if !found {
		return "", false, fmt.Errorf("volumes: no host volume with name: %s", source)
	}
	return volume.Path, volume.ReadOnly || request.ReadOnly, nil
}
