package cluster

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"

	"github.com/drydock/drydock/jobs"
	"github.com/drydock/drydock/operate/agents"
)

// check refuses what cannot be: the namespaces need Linux, root and ip.
func check() error {
	if runtime.GOOS != "linux" {
		return fmt.Errorf("a cluster on one machine needs Linux for its network namespaces, and this is %s: drydock up has three zones anywhere", runtime.GOOS)
	}
	if os.Geteuid() != 0 {
		return errors.New("a cluster on one machine needs root for its network namespaces: run scripts/cluster, which asks sudo for it")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		return errors.New("the program ip is missing: install iproute2")
	}
	return nil
}

// checkPrograms looks for the agents and for what the jobs run.
func checkPrograms(o Options) error {
	wanted, err := programs(o)
	if err != nil {
		return err
	}
	missing := slices.DeleteFunc(wanted, func(program string) bool { return agents.Find(program, o.Path) != "" })
	if len(missing) > 0 {
		return fmt.Errorf("not on the PATH: %s: scripts/cluster finds or builds them all, and bin/drydock and bin/drydock-images are from make build",
			strings.Join(missing, ", "))
	}
	return nil
}

// programs are the names of what is run, each once.
func programs(o Options) ([]string, error) {
	wanted := []string{"consul", "nomad"}
	if o.Jobs == nil {
		return wanted, nil
	}
	names, err := jobs.Names(o.Jobs)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		job, err := jobs.Read(o.Jobs, name, nil)
		if err != nil {
			return nil, err
		}
		wanted = append(wanted, job.Programs("raw_exec")...)
	}
	slices.Sort(wanted)
	return slices.Compact(wanted), nil
}
