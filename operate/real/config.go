package real

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/drydock/drydock/jobs"
)

// consulConfiguration is the Consul agent's: one server alone, on the loopback address.
func (s *Stack) consulConfiguration() ([]byte, error) {
	return json.MarshalIndent(map[string]any{
		"data_dir":             s.file(consulDir),
		"bind_addr":            loopback,
		"client_addr":          loopback,
		"server":               true,
		"bootstrap_expect":     1,
		"ui_config":            map[string]any{"enabled": true},
		"disable_update_check": true,
		"performance":          map[string]any{"raft_multiplier": 1}, // the fastest elections
		"ports": map[string]int{
			"http": s.Ports[PortConsul], "dns": s.Ports[PortDNS], "server": s.Ports["consul-rpc"], "serf_lan": s.Ports["consul-serf"],
			"serf_wan": -1, "grpc": -1, "grpc_tls": -1,
		},
	}, "", "  ")
}

// nomadConfiguration is what comes after nomad.hcl: where this stack is.
func (s *Stack) nomadConfiguration(needs needs, volumes []string) []byte {
	var text strings.Builder
	fmt.Fprintf(&text, `# Written by drydock real up, and read after nomad.hcl: where this stack is.
data_dir = %q

ports {
  http = %d
  rpc  = %d
  serf = %d
}

consul {
  address = %q
}

client {
  alloc_mounts_dir = %q

  # Shares of the processor, which jobs may ask for beyond what the machine has.
  cpu_total_compute = %d

  meta {
    volumes = %q
  }
`, s.file(nomadDir), s.Ports[PortNomad], s.Ports["nomad-rpc"], s.Ports["nomad-serf"], s.Address(PortConsul),
		s.file(nomadDir, "alloc_mounts"), needs.cpu, s.file(volumesDir))
	for _, volume := range volumes {
		fmt.Fprintf(&text, "\n  host_volume %q {\n    path = %q\n  }\n", volume, s.file(volumesDir, volume))
	}
	text.WriteString("}\n")
	return []byte(text.String())
}

// volumesOf are the host volumes that a Nomad agent's configuration has: their
// folders have to be there, whether jobs ask for them or not.
func volumesOf(agent []byte) ([]string, error) {
	file, diagnostics := hclsyntax.ParseConfig(agent, nomadFile, hcl.InitialPos)
	if diagnostics.HasErrors() {
		return nil, fmt.Errorf("read the Nomad agent's configuration: %w", diagnostics)
	}
	var names []string
	for _, client := range file.Body.(*hclsyntax.Body).Blocks {
		for _, block := range client.Body.Blocks {
			if block.Type == "host_volume" && len(block.Labels) == 1 {
				names = append(names, block.Labels[0])
			}
		}
	}
	return names, nil
}

// configure writes what the agents read, and makes the folders that they want
// to find.
func (s *Stack) configure(agent []byte, needs needs) error {
	consul, err := s.consulConfiguration()
	if err != nil {
		return err
	}
	volumes, err := volumesOf(agent)
	if err != nil {
		return err
	}
	for name, text := range map[string][]byte{consulFile: consul, nomadFile: agent, ownFile: s.nomadConfiguration(needs, volumes)} {
		if err := os.WriteFile(s.file(name), text, 0o644); err != nil {
			return fmt.Errorf("write the agents' configuration: %w", err)
		}
	}
	for _, volume := range volumes {
		if err := os.MkdirAll(s.file(volumesDir, volume), 0o755); err != nil {
			return fmt.Errorf("make the folder of volume %s: %w", volume, err)
		}
	}
	return nil
}

// needs are what the jobs ask of the machine.
type needs struct {
	cpu      int      // MHz, to be claimed for the machine
	disk     int      // MB
	programs []string // by name
	confined []string // those of them that run in a sandbox
	users    []string // that tasks run as
}

// needsOf adds up what the jobs ask for.
func needsOf(list []jobs.Job, cores int) needs {
	const updating, perCore = 2, 3000 // an update runs old and new side by side
	var n needs
	for _, job := range list {
		n.confined = append(n.confined, job.Programs("exec")...)
		n.programs = append(n.programs, job.Programs("raw_exec")...)
		for _, group := range job.TaskGroups {
			count := 1
			if group.Count != nil {
				count = *group.Count
			}
			disk := 300 // what Nomad takes where the file says nothing
			if group.EphemeralDisk != nil && group.EphemeralDisk.SizeMB != nil {
				disk = *group.EphemeralDisk.SizeMB
			}
			n.disk += count * disk
			for _, task := range group.Tasks {
				if task.Resources != nil && task.Resources.CPU != nil {
					n.cpu += count * *task.Resources.CPU
				}
				if task.User != "" && task.User != "root" && task.Driver == "raw_exec" {
					n.users = append(n.users, task.User)
				}
			}
		}
	}
	n.programs = append(n.programs, n.confined...)
	n.cpu = max(updating*n.cpu, cores*perCore)
	for _, list := range []*[]string{&n.programs, &n.confined, &n.users} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return n
}
