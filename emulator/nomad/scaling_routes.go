package nomad

import (
	"net/http"
	"strings"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/jobs"
	"github.com/drydock/drydock/emulator/nomad/state"
)

func scalingRoutes() []route {
	return []route{
		faithful(http.MethodGet, "/v1/scaling/policies", (*request).scalingPolicies),
		faithful(http.MethodGet, "/v1/scaling/policy/{id...}", (*request).scalingPolicy),
	}
}

// readsScaling are the capabilities of which one lets a policy be seen: it is a
// part of its job.
var readsScaling = []acl.Capability{acl.ListScalingPolicies, acl.ReadScalingPolicy, acl.ReadJob}

func (r *request) scalingPolicies() (any, error) {
	visible, err := r.visibleIn(readsScaling...)
	if err != nil {
		return nil, err
	}
	job, kind, prefix := r.query.Get("job"), r.query.Get("type"), r.query.Get("prefix")
	return r.block(func(view *state.View) (any, uint64, error) {
		list := []*api.ScalingPolicyListStub{}
		for p := range view.ScalingPolicies() {
			if !visible(p.Target[jobs.TargetNamespace]) || job != "" && p.Target[jobs.TargetJob] != job ||
				kind != "" && p.Type != kind || !strings.HasPrefix(p.ID, prefix) {
				continue
			}
			list = append(list, &api.ScalingPolicyListStub{
				ID: p.ID, Enabled: *p.Enabled, Type: p.Type, Target: p.Target, CreateIndex: p.CreateIndex, ModifyIndex: p.ModifyIndex,
			})
		}
		return list, tableIndex(view, state.TableScalingPolicies), nil
	})
}

func (r *request) scalingPolicy() (any, error) {
	return r.block(func(view *state.View) (any, uint64, error) {
		policy := view.ScalingPolicy(r.PathValue("id"))
		if policy == nil {
			if err := r.needIn(r.namespace(), readsScaling...); err != nil {
				return nil, 0, err
			}
			return nil, tableIndex(view, state.TableScalingPolicies), notFound("policy not found")
		}
		if err := r.needIn(policy.Target[jobs.TargetNamespace], readsScaling...); err != nil {
			return nil, 0, err
		}
		return policy, policy.ModifyIndex, nil
	})
}
