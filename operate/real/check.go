package real

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	version "github.com/hashicorp/go-version"

	"github.com/drydock/drydock/operate/agents"
)

// The oldest agents that the job files are made for.
var oldest = map[string]*version.Version{
	"consul": version.Must(version.NewVersion("1.22.0")),
	"nomad":  version.Must(version.NewVersion("1.11.0")),
}

const spareDisk = 1024 // MB for the agents, beside what jobs ask for

// check tells early what the machine lacks for the stack.
func check(ctx context.Context, o Options, dir string, needs needs) error {
	if err := checkDriver(o.Driver); err != nil {
		return err
	}
	if err := checkPrograms(ctx, o.Path, needs.programs); err != nil {
		return err
	}
	if err := checkConfined(o.Path, needs.confined); err != nil {
		return err
	}
	if err := checkDisk(dir, needs.disk+spareDisk); err != nil {
		return err
	}
	return checkUsers(dir, needs.users)
}

func checkDriver(driver string) error {
	switch driver {
	case "raw_exec":
	case "exec":
		if os.Geteuid() != 0 {
			return errors.New("the driver exec needs root, as it makes sandboxes: run it as root, or with the driver raw_exec")
		}
	case "docker":
		if err := exec.Command("docker", "version").Run(); err != nil {
			return fmt.Errorf("the driver docker needs a Docker engine that this user may use, and `docker version` finds none (%w): start one, or use the driver raw_exec", err)
		}
	default:
		return fmt.Errorf("the driver is %q: it has to be raw_exec, exec or docker", driver)
	}
	return nil
}

// checkPrograms looks for the agents and what tasks run.
func checkPrograms(ctx context.Context, path string, programs []string) error {
	var missing []string
	for _, program := range append([]string{"consul", "nomad"}, programs...) {
		if agents.Find(program, path) == "" {
			missing = append(missing, program)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("not on the PATH: %s: `make real` finds or builds them all, or put the folder that `scripts/real.sh path` prints on the PATH",
			strings.Join(missing, ", "))
	}
	for _, agent := range []string{"consul", "nomad"} {
		if err := checkVersion(ctx, agent, agents.Find(agent, path)); err != nil {
			return err
		}
	}
	return nil
}

// sandbox are the folders with programs that Nomad's driver exec shows to tasks.
var sandbox = []string{"/bin", "/sbin", "/usr"}

// checkConfined wants programs that run in a sandbox to be where that shows them.
func checkConfined(path string, programs []string) error {
	var shown []string
	for _, dir := range filepath.SplitList(path) {
		if inSandbox(dir) {
			shown = append(shown, dir)
		}
	}
	for _, program := range programs {
		file, err := filepath.EvalSymlinks(agents.Find(program, strings.Join(shown, string(filepath.ListSeparator))))
		if err != nil || !inSandbox(file) {
			return fmt.Errorf("the driver exec shows tasks only what is in %s, and %s is not there: copy it to /usr/local/bin, or use the driver raw_exec",
				strings.Join(sandbox, ", "), program)
		}
	}
	return nil
}

func inSandbox(file string) bool {
	return slices.ContainsFunc(sandbox, func(dir string) bool { return file == dir || strings.HasPrefix(file, dir+"/") })
}

// checkVersion refuses an agent that is older than the job files want. The first
// line that it prints of its version is as in "Nomad v1.11.3".
func checkVersion(ctx context.Context, agent, file string) error {
	output, err := exec.CommandContext(ctx, file, "version").Output()
	if err != nil {
		return fmt.Errorf("ask %s for its version: %w", file, err)
	}
	first, _, _ := bytes.Cut(output, []byte("\n"))
	_, number, _ := strings.Cut(string(first), " v")
	found, err := version.NewVersion(strings.TrimSpace(number))
	if err != nil {
		return fmt.Errorf("ask %s for its version: it says %q, which is none", file, first)
	}
	if found.Core().LessThan(oldest[agent]) {
		return fmt.Errorf("%s is version %s, and %s or newer is needed: take it off the PATH, and `make real` builds one", file, found, oldest[agent])
	}
	return nil
}

// checkDisk wants a number of MB to be free for the folder.
func checkDisk(dir string, wanted int) error {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(dir, &disk); err != nil {
		return fmt.Errorf("see how much of the disk of %s is free: %w", dir, err)
	}
	if free := int(disk.Bavail * uint64(disk.Bsize) >> 20); free < wanted {
		return fmt.Errorf("the disk of %s has %d MB free, and %d MB are needed: free some, or use a folder on another disk", dir, free, wanted)
	}
	return nil
}

// checkUsers wants users other than root, who tasks run as, to reach the folder.
func checkUsers(dir string, users []string) error {
	if os.Geteuid() != 0 || len(users) == 0 {
		return nil
	}
	for folder := dir; folder != filepath.Dir(folder); folder = filepath.Dir(folder) {
		info, err := os.Stat(folder)
		if err != nil {
			return err
		}
		if info.Mode()&0o001 == 0 {
			return fmt.Errorf("folder %s is closed to the user %s, who a task runs as: use one that all may pass through, as /var/lib/drydock", folder, users[0])
		}
	}
	return nil
}
