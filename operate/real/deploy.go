package real

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"

	consul "github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/jobs"
	"github.com/drydock/drydock/operate/deploy"
)

// Nomad variables' items that are this machine's.
const mailFrom = "Drydock <alerts@drydock.example>"

// oneMachine are HCL variables whose usual values are not for all on one
// machine: the feed may be asked often, and webhooks go to programs beside it.
var oneMachine = map[string]string{"quotes.every": "1s", "webhooks.private": "allow"}

// variables are the values of the job files' HCL variables, by name or job.name,
// as far as they declare them.
func (s *Stack) variables(o Options) map[string]string {
	values := maps.Clone(oneMachine)
	if os.Geteuid() != 0 {
		values["user"] = "" // only root can have tasks run as somebody else
	}
	for _, p := range allPorts {
		if p.job != "" && s.Ports[p.name] != 0 {
			values[p.job+"."+p.variable] = strconv.Itoa(s.Ports[p.name])
		}
	}
	maps.Copy(values, o.Variables)
	return values
}

// readJobs reads the job files with those values. Each one that Options give has
// to be for a variable that there is.
func (s *Stack) readJobs(o Options) ([]jobs.Job, error) {
	values := s.variables(o)
	var list []jobs.Job
	declared := map[string]bool{}
	for _, name := range s.Jobs {
		job, err := readJob(o, name, jobs.Given(values, name))
		if err != nil {
			return nil, err
		}
		for variable := range job.Variables {
			declared[variable], declared[name+"."+variable] = true, true
		}
		list = append(list, job)
	}
	for _, name := range slices.Sorted(maps.Keys(o.Variables)) {
		if !declared[name] {
			return nil, fmt.Errorf("the variable %q is given, which no job file declares: name it as count, or images.count for one job", name)
		}
	}
	return list, nil
}

// readJob reads a job file; a role's with the driver of Options.
func readJob(o Options, name string, given map[string]string) (jobs.Job, error) {
	job, err := jobs.Read(o.Jobs, name, given)
	if err != nil || job.Part() != "" || given["driver"] != "" {
		return job, err
	}
	given["driver"] = o.Driver
	return jobs.Read(o.Jobs, name, given)
}

// valuesOf are the values that the jobs were read with, by job.name.
func valuesOf(list []jobs.Job) map[string]string {
	values := map[string]string{}
	for _, job := range list {
		for name, value := range job.Variables {
			values[job.Name+"."+name] = value
		}
	}
	return values
}

// deploy has Nomad run the jobs, and tells of each that is healthy.
func (s *Stack) deploy(ctx context.Context, o Options, list []jobs.Job) error {
	nomad, err := s.client()
	if err != nil {
		return err
	}
	defer nomad.Close()
	discovery, err := consul.NewClient(&consul.Config{Address: s.Consul})
	if err != nil {
		return err
	}
	addresses := map[string]string{}
	for _, part := range []string{PortEvents, PortObjects, PortMarket, PortMail} {
		if address := s.Address(part); address != "" {
			addresses[part] = address
		}
	}
	return deploy.Run(ctx, deploy.Options{
		Nomad: nomad, Consul: discovery, Jobs: o.Jobs, Variables: valuesOf(list), Addresses: addresses,
		Items: map[string]string{"mail_from": mailFrom, "public_url": "http://" + s.Address(PortAlerts)},
		Progress: func(e deploy.Event) {
			if e.State == deploy.Healthy || e.State == deploy.Unchanged {
				fmt.Fprintf(o.Out, "  %-12s %s after %s\n", e.Job, e.State, seconds(e.Took))
			}
		},
	})
}
