package nomad

import (
	"net/http"
	"slices"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/jobs"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// jobVersions is the answer with the versions of a job, newest first.
type jobVersions struct {
	Versions    []*api.Job
	Diffs       []*api.JobDiff
	Index       uint64
	KnownLeader bool
	LastContact int
	NextToken   string
}

func (r *request) jobVersions() (any, error) {
	withDiffs, err := r.boolean("diffs")
	if err != nil {
		return nil, err
	}
	against, err := r.version("diff_version")
	if err != nil {
		return nil, err
	}
	return r.ofJob(func(view *state.View, namespace, id string) (any, uint64, error) {
		versions := view.JobVersions(namespace, id)
		if len(versions) == 0 {
			return nil, view.Index(state.TableJobs), notFound("job versions not found")
		}
		slices.Reverse(versions)
		answer := jobVersions{Versions: versions, KnownLeader: true}
		for _, version := range versions {
			answer.Index = max(answer.Index, *version.ModifyIndex)
		}
		if withDiffs {
			if answer.Diffs, err = versionDiffs(versions, r.query.Get("diff_tag"), against); err != nil {
				return nil, 0, err
			}
		}
		return answer, answer.Index, nil
	})
}

// versionDiffs compares each version with the one of a tag or a number, or else
// with the one before it.
func versionDiffs(versions []*api.Job, tag string, number *uint64) (diffs []*api.JobDiff, err error) {
	if tag == "" && number == nil {
		for i, version := range versions[:len(versions)-1] {
			diffs = append(diffs, jobs.Diff(versions[i+1], version))
		}
		return diffs, nil
	}
	base := slices.IndexFunc(versions, func(v *api.Job) bool {
		if tag != "" {
			return v.VersionTag != nil && v.VersionTag.Name == tag
		}
		return *v.Version == *number
	})
	switch {
	case base < 0 && tag != "":
		return nil, fail(http.StatusInternalServerError, "tag %q not found", tag)
	case base < 0:
		return nil, fail(http.StatusInternalServerError, "version %d not found", *number)
	}
	for _, version := range versions {
		diffs = append(diffs, jobs.Diff(versions[base], version))
	}
	return diffs, nil
}

// tagAnswer is the answer to naming a version.
type tagAnswer struct {
	api.JobVersionTag
	Index       uint64
	KnownLeader bool
	LastContact int
	NextToken   string
}

// tagVersion names a version of a job, so that it is found and kept.
func (r *request) tagVersion() (any, error) {
	namespace, id, name := r.namespace(), r.PathValue("id"), r.PathValue("tag")
	if err := r.needIn(namespace, acl.SubmitJob); err != nil {
		return nil, err
	}
	var asked api.TagVersionRequest
	if err := r.decode(&asked); err != nil {
		return nil, err
	}
	var answer tagAnswer
	err := r.write(func(tx *state.Tx) error {
		if job := tx.Job(namespace, id); job != nil && asked.Latest {
			asked.Version = *job.Version
		}
		version := tx.JobVersion(namespace, id, asked.Version)
		if version == nil {
			return fail(http.StatusInternalServerError, "job %q version %d not found", id, asked.Version)
		}
		if tagged := taggedVersion(tx, namespace, id, name); tagged != nil && *tagged.Version != asked.Version {
			return fail(http.StatusInternalServerError, "tag %q already exists on a different version of job %q", name, id)
		}
		answer.JobVersionTag = api.JobVersionTag{Name: name, Description: asked.Description, TaggedTime: tx.Now().UnixNano()}
		answer.Index = tx.ChangeIndex()
		tag := answer.JobVersionTag
		tx.UpdateJobVersion(version, func(j *api.Job) { j.VersionTag = &tag })
		return nil
	})
	return answer, err
}

func (r *request) untagVersion() (any, error) {
	namespace, id, name := r.namespace(), r.PathValue("id"), r.PathValue("tag")
	if err := r.needIn(namespace, acl.SubmitJob); err != nil {
		return nil, err
	}
	var answer tagAnswer
	err := r.write(func(tx *state.Tx) error {
		version := taggedVersion(tx, namespace, id, name)
		if version == nil {
			return fail(http.StatusInternalServerError, "tag %q not found on job %q", name, id)
		}
		answer.Index = tx.ChangeIndex()
		tx.UpdateJobVersion(version, func(j *api.Job) { j.VersionTag = nil })
		return nil
	})
	return answer, err
}

// taggedVersion is the version of a job that has the tag; nil when none has.
func taggedVersion(tx *state.Tx, namespace, id, name string) *api.Job {
	for _, version := range tx.JobVersions(namespace, id) {
		if version.VersionTag != nil && version.VersionTag.Name == name {
			return version
		}
	}
	return nil
}
