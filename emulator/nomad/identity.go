package nomad

import (
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/keyring"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// SignIdentity implements client.Server.
func (r *region) SignIdentity(allocationID, task string, identity *api.WorkloadIdentity) (string, time.Time, error) {
	allocation := r.store.View().Allocation(allocationID)
	if allocation == nil {
		return "", time.Time{}, notFound("sign an identity: there is no allocation %s", allocationID)
	}
	key, err := r.keys.Active()
	if err != nil {
		return "", time.Time{}, fmt.Errorf("sign an identity: %w", err)
	}
	now := time.Now()
	claims := r.workloadClaims(allocation, task, identity, now)
	token, err := key.Sign(claims)
	if err != nil || identity.TTL <= 0 {
		return token, time.Time{}, err
	}
	return token, now.Add(identity.TTL), nil
}

// defaultIdentity is the name of the identity that every task has.
const defaultIdentity = "default"

func (r *region) workloadClaims(a *state.Allocation, task string, identity *api.WorkloadIdentity, now time.Time) keyring.Claims {
	name, of := identity.Name, task
	if name == "" {
		name = defaultIdentity
	}
	if identity.ServiceName != "" {
		of = identity.ServiceName
	}
	job := identityJob(a)
	subject := strings.Join([]string{r.options.Name, a.Namespace, job, a.TaskGroup, of, name}, ":")
	claims := keyring.NewClaims(subject, identity.Audience, now, identity.TTL)
	claims.Issuer = r.options.OIDCIssuer
	claims.Namespace, claims.Job, claims.Allocation = a.Namespace, job, a.ID
	claims.Task, claims.Service = task, identity.ServiceName
	return claims
}

// identityJob is the job that an allocation is known as: of one that was
// dispatched or started periodically, the job that it was made from.
func identityJob(a *state.Allocation) string {
	if parent := a.Job.ParentID; parent != nil && *parent != "" {
		return *parent
	}
	return a.JobID
}
