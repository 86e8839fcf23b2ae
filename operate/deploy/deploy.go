// Package deploy has a Nomad cluster run job files: it puts what the jobs read
// into Nomad's variables, registers the parts of the platform, waits until
// those are healthy, and then does the same with the jobs that need them.
//
// `drydock deploy` is one caller; what starts a cluster on this machine another.
package deploy

import (
	"context"
	"io/fs"

	consul "github.com/hashicorp/consul/api"
	"github.com/hashicorp/nomad/api"
)

// Options say what to deploy, and where.
type Options struct {
	// Nomad is the cluster. A job whose file names no namespace runs in the client's.
	Nomad *api.Client
	// Consul, if there is one, is asked why a job's checks fail.
	Consul *consul.Client
	// Jobs is the folder of the job files, and Names are those to run, by the
	// names of their files; none are all.
	Jobs  fs.FS
	Names []string
	// Variables are values of the files' HCL variables: by the name of the
	// variable for every file that declares it, by job.name for that of one job.
	Variables map[string]string
	// Addresses are where jobs reach the parts of the platform, host:port by
	// part ("events", "objects", …), whether they are deployed or not.
	Addresses map[string]string
	// Items are values of what jobs read from their Nomad variables: by the name
	// of the item for every job that reads it, by job.item for that of one job.
	Items map[string]string
	// Detach has Run wait for the parts alone, not for the jobs that need them.
	Detach bool
	// Progress, if set, is told of each step of each job; never of two at a time.
	Progress func(Event)
}

// Run deploys the jobs and waits until all of them are healthy. What is
// deployed so already is left alone; what of the Nomad variables is there is
// kept, passwords and keys that are missing are made. When the context ends it
// stops waiting, says what is under way, and leaves that to Nomad.
//
// Items that are neither there nor given nor to be made are a
// *MissingItemsError, before anything is changed; a job that does not become
// healthy is a *JobError, which says why.
func Run(ctx context.Context, o Options) error {
	d, err := prepare(ctx, o)
	if err != nil {
		return err
	}
	return d.run(ctx)
}
