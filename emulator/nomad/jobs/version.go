package jobs

import (
	"errors"
	"fmt"
	"slices"

	"github.com/hashicorp/nomad/api"
)

// CheckRegister tells why a valid job cannot be written in the place of the one
// that is there, which is nil where there is none. The error is the answer.
func CheckRegister(old, changed *api.Job) error {
	scaled := func(g *api.TaskGroup) bool { return g.Scaling != nil }
	if *changed.Type == api.JobTypeSystem && slices.ContainsFunc(changed.TaskGroups, scaled) {
		//lint:ignore ST1005 it is the answer of the real program
		return errors.New("Task groups with job type system do not support scaling blocks")
	}
	if old == nil {
		return nil
	}
	if *old.Type != *changed.Type {
		return fmt.Errorf("cannot update job from type %q to %q", *old.Type, *changed.Type)
	}
	if old.IsPeriodic() != changed.IsPeriodic() {
		return becoming(changed.IsPeriodic(), "periodic")
	}
	if old.IsParameterized() != changed.IsParameterized() {
		return becoming(changed.IsParameterized(), "parameterized")
	}
	return nil
}

func becoming(is bool, what string) error {
	if is {
		return fmt.Errorf("cannot update non-%s job to being %s", what, what)
	}
	return fmt.Errorf("cannot update %s job to being non-%s", what, what)
}

// SpecChanged tells whether registering the second of two canonical jobs, in
// place of the first, makes a new version: whether they differ in anything but
// what servers set. The identity of a scaling policy is compared nevertheless,
// as the real program does, so that a job which has one is always new.
func SpecChanged(old, changed *api.Job) bool {
	return !same(withoutServerSide(old), withoutServerSide(changed))
}

// withoutServerSide copies a job without what servers set.
func withoutServerSide(job *api.Job) *api.Job {
	own := *job
	own.Status, own.StatusDescription, own.Stable, own.Version = nil, nil, nil, nil
	own.CreateIndex, own.ModifyIndex, own.JobModifyIndex, own.SubmitTime = nil, nil, nil, nil
	own.NomadTokenID = nil
	return &own
}
