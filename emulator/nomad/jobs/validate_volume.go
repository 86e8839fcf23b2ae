package jobs

import (
	"maps"
	"slices"

	"github.com/hashicorp/nomad/api"
)

const (
	volumeHost = "host"
	volumeCSI  = "csi"

	attachmentBlockDevice = "block-device"
)

func checkVolumes(p *problems, jobType string, group *api.TaskGroup) {
	for _, name := range slices.Sorted(maps.Keys(group.Volumes)) {
		var wrong problems
		checkVolume(&wrong, jobType, group, group.Volumes[name])
		p.in(wrong, "Task group volume validation for %s failed: ", name)
	}
}

func checkVolume(p *problems, jobType string, group *api.TaskGroup, v *api.VolumeRequest) {
	if v.Type != volumeHost && v.Type != volumeCSI {
		return
	}
	p.when(v.Source == "", "volume has an empty source")
	canaries := group.Update != nil && *group.Update.Canary > 0
	if v.PerAlloc {
		p.when(canaries, "volume cannot be per_alloc when canaries are in use")
		p.when(isSystem(jobType), "volume cannot be per_alloc for system or sysbatch jobs")
		p.when(v.Sticky, "volume cannot be per_alloc and sticky at the same time")
	}
	if v.Type == volumeHost {
		checkHostVolume(p, v)
	} else {
		checkCSIVolume(p, *group.Count, v)
	}
}

func checkHostVolume(p *problems, v *api.VolumeRequest) {
	p.when(v.MountOptions != nil, "host volumes cannot have mount options")
	switch mode := api.CSIVolumeAccessMode(v.AccessMode); mode {
	case "", api.CSIVolumeAccessModeSingleNodeWriter, "single-node-single-writer", "single-node-multi-writer":
	case api.CSIVolumeAccessModeSingleNodeReader:
		p.when(!v.ReadOnly, "%s volumes must be read-only", mode)
	default:
		p.add("host volumes cannot be mounted with %s access mode", mode)
	}
}

func checkCSIVolume(p *problems, count int, v *api.VolumeRequest) {
	p.when(v.AttachmentMode == "", "CSI volumes must have an attachment mode")
	p.when(v.AttachmentMode == attachmentBlockDevice && v.MountOptions != nil, "block devices cannot have mount options")
	switch mode := api.CSIVolumeAccessMode(v.AccessMode); mode {
	case "":
		p.add("CSI volumes must have an access mode")
	case api.CSIVolumeAccessModeSingleNodeReader:
		p.when(!v.ReadOnly, "%s volumes must be read-only", mode)
		p.when(count > 1 && !v.PerAlloc, "volume with %s access mode allows only one reader", mode)
	case api.CSIVolumeAccessModeSingleNodeWriter:
		p.when(count > 1 && !v.PerAlloc, "volume with %s access mode allows only one reader or writer", mode)
	case api.CSIVolumeAccessModeMultiNodeReader:
		p.when(!v.ReadOnly, "%s volumes must be read-only", mode)
	case api.CSIVolumeAccessModeMultiNodeSingleWriter:
		p.when(!v.ReadOnly && count > 1 && !v.PerAlloc, "volume with %s access mode allows only one writer", mode)
	}
}

func checkMounts(p *problems, group *api.TaskGroup, mounts []*api.VolumeMount) {
	for i, mount := range mounts {
		var wrong problems
		switch *mount.PropagationMode {
		case "", api.VolumeMountPropagationPrivate, api.VolumeMountPropagationHostToTask, api.VolumeMountPropagationBidirectional:
		default:
			wrong.add("volume mount has an invalid propagation mode: %q", *mount.PropagationMode)
		}
		switch *mount.SELinuxLabel {
		case "", "z", "Z":
		default:
			wrong.add("volume mount has an invalid SELinux label: %q", *mount.SELinuxLabel)
		}
		if len(wrong) > 0 {
			p.add("Volume Mount (%d) is invalid: \"%s\"", i, wrong)
		}
		if name := value(mount.Volume); group.Volumes[name] == nil && name != "" {
			p.add("Volume Mount (%d) references undefined volume %s", i, name)
		}
	}
}
