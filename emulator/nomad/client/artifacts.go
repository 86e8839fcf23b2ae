package client

import (
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/client/artifact"
)

// fetchArtifacts downloads what the task needs, once.
func (t *taskRunner) fetchArtifacts() error {
	if t.fetched || len(t.spec().Artifacts) == 0 {
		return nil
	}
	t.emit(newEvent(api.TaskDownloadingArtifacts, "Client is downloading artifacts"))
	env := t.environment()
	for _, a := range t.spec().Artifacts {
		if err := artifact.Fetch(t.ctx, a, t.dir.Root, env); err != nil {
			return &setupError{event: downloadFailedEvent(err), recoverable: true}
		}
	}
	t.fetched = true
	return nil
}
