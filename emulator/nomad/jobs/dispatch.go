package jobs

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hashicorp/nomad/api"
)

const maxPayload = 16 << 10 // bytes

// CheckDispatch tells why a job cannot be dispatched as requested. The error is
// the answer.
func CheckDispatch(parent *api.Job, request *api.JobDispatchRequest) error {
	if !parent.IsParameterized() {
		//lint:ignore ST1005 it is the answer of the real program
		return fmt.Errorf("Specified job %q is not a parameterized job", *parent.ID)
	}
	if *parent.Stop {
		//lint:ignore ST1005 it is the answer of the real program
		return fmt.Errorf("Specified job %q is stopped", *parent.ID)
	}
	if request.Priority != 0 && (request.Priority < minPriority || request.Priority > maxPriority) {
		return fmt.Errorf("dispatch job priority must be between [%d, %d]", minPriority, maxPriority)
	}
	if err := checkPayload(parent.ParameterizedJob, request.Payload); err != nil {
		return err
	}
	return checkMeta(parent.ParameterizedJob, request.Meta)
}

func checkPayload(config *api.ParameterizedJobConfig, payload []byte) error {
	switch {
	case config.Payload == PayloadRequired && len(payload) == 0:
		//lint:ignore ST1005 it is the answer of the real program
		return errors.New("Payload is not provided but required by parameterized job")
	case config.Payload == PayloadForbidden && len(payload) > 0:
		//lint:ignore ST1005 it is the answer of the real program
		return errors.New("Payload provided but forbidden by parameterized job")
	case len(payload) > maxPayload:
		//lint:ignore ST1005 it is the answer of the real program
		return fmt.Errorf("Payload exceeds maximum size; %d > %d", len(payload), maxPayload)
	}
	return nil
}

func checkMeta(config *api.ParameterizedJobConfig, meta map[string]string) error {
	var unknown, missing []string
	for _, key := range slices.Sorted(maps.Keys(meta)) {
		if !slices.Contains(config.MetaRequired, key) && !slices.Contains(config.MetaOptional, key) {
			unknown = append(unknown, key)
		}
	}
	if len(unknown) > 0 {
		return fmt.Errorf("Dispatch request included unpermitted metadata keys: %v", unknown)
	}
	for _, key := range config.MetaRequired {
		if _, ok := meta[key]; !ok {
			missing = append(missing, key)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("Dispatch did not provide required meta keys: %v", missing)
	}
	return nil
}

// Dispatch makes the job that a request launches, which CheckDispatch has found
// right. What tells it from others of the same second is the suffix.
func Dispatch(parent *api.Job, request *api.JobDispatchRequest, token string, now time.Time, suffix string) *api.Job {
	id := *parent.ID + api.JobDispatchLaunchSuffix
	if request.IdPrefixTemplate != "" {
		id += request.IdPrefixTemplate + "-"
	}
	child := launched(parent, fmt.Sprintf("%s%d-%s", id, now.Unix(), suffix), now)
	child.Dispatched, child.DispatchIdempotencyToken = true, &token
	child.Payload = request.Payload
	if request.Priority != 0 {
		child.Priority = new(request.Priority)
	}
	if len(request.Meta) > 0 {
		meta := maps.Clone(parent.Meta)
		if meta == nil {
			meta = map[string]string{}
		}
		maps.Copy(meta, request.Meta)
		child.Meta = meta
	}
	return child
}

// launched makes a job of its own of a periodic or a parameterized one. The two
// share what neither changes.
func launched(parent *api.Job, id string, now time.Time) *api.Job {
	child := *parent
	child.ID, child.Name, child.ParentID = &id, &id, new(*parent.ID)
	child.Status, child.StatusDescription = new(""), new("")
	child.Stable, child.Version, child.VersionTag = new(false), new(uint64(0)), nil
	child.CreateIndex, child.ModifyIndex, child.JobModifyIndex = new(uint64(0)), new(uint64(0)), new(uint64(0))
	child.SubmitTime = new(now.UnixNano())
	return &child
}
