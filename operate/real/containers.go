package real

import (
	"context"
	"fmt"
	"os/exec"
	"strings"

	"github.com/drydock/drydock/operate/agents"
)

// removeContainers removes the containers that the stack's tasks ran in, which
// outlive a Nomad that was killed. They are those of Nomad that have a folder of
// the stack mounted.
func (s *Stack) removeContainers(ctx context.Context) error {
	docker := agents.Find("docker", s.Path)
	if docker == "" {
		return nil
	}
	listed, err := exec.CommandContext(ctx, docker, "ps", "--all", "--quiet", "--filter", "label=com.hashicorp.nomad.alloc_id").Output()
	ids := strings.Fields(string(listed))
	if err != nil || len(ids) == 0 {
		return nil // where no engine answers, none is there
	}
	const format = "{{.Id}}{{range .Mounts}}\t{{.Source}}{{end}}"
	inspected, err := exec.CommandContext(ctx, docker, append([]string{"inspect", "--format", format}, ids...)...).Output()
	if err != nil && len(inspected) == 0 {
		return fmt.Errorf("find the containers of tasks: %w", err)
	}
	for line := range strings.Lines(string(inspected)) {
		id, mounts, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if !strings.Contains("\t"+mounts, "\t"+s.Dir+"/") {
			continue
		}
		if said, err := exec.CommandContext(ctx, docker, "rm", "--force", id).CombinedOutput(); err != nil {
			return fmt.Errorf("remove container %s: %w: %s", id, err, strings.TrimSpace(string(said)))
		}
	}
	return nil
}
