package nomad

import (
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// schedulerVolumes are the region's volumes as the scheduler has them.
type schedulerVolumes struct{ *state.View }

// CSIVolume implements place.Volumes: there are none.
func (schedulerVolumes) CSIVolume(string, string) *api.CSIVolume { return nil }
