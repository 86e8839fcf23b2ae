package nomad

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/google/uuid"
	"github.com/hashicorp/go-multierror"
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/jobs"
	"github.com/drydock/drydock/emulator/nomad/scheduler/place"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// listOf is one error of several, in the form that the real program gives it.
func listOf(several []error) error { return &multierror.Error{Errors: several} }

// checkHostVolume tells what is wrong with a volume that is asked for.
func checkHostVolume(view *state.View, v *api.HostVolume) error {
	var wrong []error
	add := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	if _, err := uuid.Parse(v.ID); v.ID != "" && err != nil {
		add("invalid ID %q", v.ID)
	}
	if v.Name == "" {
		add("missing name")
	}
	if most, least := v.RequestedCapacityMaxBytes, v.RequestedCapacityMinBytes; most > 0 && most < least {
		add("capacity_max (%d) must be larger than capacity_min (%d)", most, least)
	}
	for _, capability := range v.RequestedCapabilities {
		if err := checkHostVolumeCapability(capability); err != nil {
			wrong = append(wrong, err)
		}
	}
	for _, constraint := range v.Constraints {
		var problems []error
		for _, text := range jobs.CheckConstraint(constraint) {
			problems = append(problems, errors.New(text))
		}
		if len(problems) > 0 {
			add("invalid constraint: %w", listOf(problems))
		}
	}
	if len(wrong) == 0 && view.Namespace(v.Namespace) == nil {
		add("no such namespace %q", v.Namespace)
	}
	switch len(wrong) {
	case 0:
		return nil
	case 1:
		return wrong[0]
	}
	return listOf(wrong)
}

func checkHostVolumeCapability(c *api.HostVolumeCapability) error {
	switch c.AttachmentMode {
	case api.HostVolumeAttachmentModeBlockDevice, api.HostVolumeAttachmentModeFilesystem:
	default:
		return fmt.Errorf("invalid attachment mode: %q", c.AttachmentMode)
	}
	switch c.AccessMode {
	case api.HostVolumeAccessModeSingleNodeReader, api.HostVolumeAccessModeSingleNodeWriter,
		api.HostVolumeAccessModeSingleNodeSingleWriter, api.HostVolumeAccessModeSingleNodeMultiWriter:
	default:
		return fmt.Errorf("invalid access mode: %q", c.AccessMode)
	}
	return nil
}

// placeHostVolume chooses a node that can make a volume: the one that has the
// fewest.
func placeHostVolume(view *state.View, v *api.HostVolume) (*state.Node, error) {
	if v.NodePool != "" && view.NodePool(v.NodePool) == nil {
		return nil, fail(http.StatusInternalServerError, "validating volume %q against state failed: node pool %q does not exist", v.Name, v.NodePool)
	}
	needs := append(slices.Clone(v.Constraints), &api.Constraint{
		LTarget: "${attr.plugins.host_volume." + v.PluginID + ".version}", Operand: api.ConstraintAttributeIsSet,
	})
	taken, unfit := 0, 0
	var fit []*state.Node
	for node := range view.Nodes() {
		switch {
		case v.NodePool != "" && node.NodePool != v.NodePool || !node.Ready():
		case node.HostVolumes[v.Name] != nil:
			taken++
		case !place.Meets(node, needs):
			unfit++
		default:
			fit = append(fit, node)
		}
	}
	if len(fit) == 0 {
		return nil, fail(http.StatusInternalServerError, "could not place volume %q: no node meets constraints: %d nodes had existing volume, "+
			"0 nodes filtered by node pool governance, %d nodes were infeasible", v.Name, taken, unfit)
	}
	return slices.MinFunc(fit, func(a, b *state.Node) int {
		return cmp.Or(cmp.Compare(len(a.HostVolumes), len(b.HostVolumes)), cmp.Compare(a.ID, b.ID))
	}), nil
}
