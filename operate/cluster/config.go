package cluster

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/drydock/drydock/operate/agents"
)

// The agents of a zone, in the order in which they start.
const (
	consulAgent = "consul"
	nomadServer = "nomad-server"
	nomadClient = "nomad-client"
)

var agentNames = []string{consulAgent, nomadServer, nomadClient}

var configFlag = map[string]string{"consul": "-config-file=", "nomad": "-config="}

//go:embed config/*.hcl
var configFiles embed.FS

var configs = template.Must(template.New("").Funcs(template.FuncMap{"list": hclList}).ParseFS(configFiles, "config/*.hcl"))

// settings are what the configuration of an agent depends on.
type settings struct {
	Zone    string
	Address string
	Link    string
	Servers []string // addresses of all zones
	Data    string

	Volumes     string   // the folder of the host volumes
	VolumeNames []string // and their folders in it
}

// hclList writes addresses as a list of HCL, with the port appended to each.
func hclList(addresses []string, port string) (string, error) {
	var with []string
	for _, address := range addresses {
		with = append(with, address+port)
	}
	list, err := json.Marshal(with)
	return string(list), err
}

// agent is one of a zone's agents.
func (s *Stack) agent(z Zone, name string) agents.Agent {
	dir := s.site.zoneDir(z.Name)
	program, _, _ := strings.Cut(name, "-")
	within := []string{"ip", "netns", "exec", s.site.namespace(z.Name)}
	if name == nomadClient {
		within = append(within, "sh", "-c", withMount, "sh", s.site.zoneVolumes(z.Name), s.site.volumes())
	}
	return agents.Agent{
		Name:        name,
		Dir:         dir,
		Within:      within,
		Command:     []string{program, "agent", configFlag[program] + filepath.Join(dir, name+".hcl")},
		Environment: agents.Environment(s.site.namespace(z.Name), s.Path),
	}
}

// withMount is a script that puts a folder in the place of another, and becomes
// the program that follows. As `ip netns exec` gives it mounts of its own, only
// that program and its tasks see it, and it ends with them: so the volumes of all
// zones have one path, as on machines that are set up alike.
const withMount = `mount --bind "$1" "$2" && shift 2 && exec "$@"`

type folder struct {
	path string
	mode fs.FileMode
}

// folders are those of a zone. What is kept there is nobody else's to read, but
// tasks of other users reach theirs below that of Nomad's client.
func (s *Stack) folders(z Zone) []folder {
	const open, closed = 0o755, 0o700
	dir := s.site.zoneDir(z.Name)
	all := []folder{
		{s.site.volumes(), open}, {s.site.zoneVolumes(z.Name), open}, {filepath.Join(dir, nomadClient), open},
		{filepath.Join(dir, consulAgent), closed}, {filepath.Join(dir, nomadServer), closed},
	}
	for _, name := range volumeNames {
		all = append(all, folder{filepath.Join(s.site.zoneVolumes(z.Name), name), closed})
	}
	return all
}

// writeConfigs writes the configurations of a zone's agents, and makes the
// folders that they name.
func (s *Stack) writeConfigs(z Zone) error {
	dir := s.site.zoneDir(z.Name)
	of := settings{
		Zone: z.Name, Address: z.Address, Link: zoneLink,
		Volumes: s.site.volumes(), VolumeNames: volumeNames,
	}
	for _, zone := range s.Zones {
		of.Servers = append(of.Servers, zone.Address)
	}
	for _, folder := range s.folders(z) {
		if err := os.MkdirAll(folder.path, folder.mode); err != nil {
			return fmt.Errorf("make the folders of zone %s: %w", z.Name, err)
		}
	}
	for _, name := range agentNames {
		of.Data = filepath.Join(dir, name)
		var text strings.Builder
		if err := configs.ExecuteTemplate(&text, name+".hcl", of); err != nil {
			return fmt.Errorf("write the configuration of %s of zone %s: %w", name, z.Name, err)
		}
		if err := os.WriteFile(filepath.Join(dir, name+".hcl"), []byte(text.String()), 0o644); err != nil {
			return fmt.Errorf("write the configuration of %s of zone %s: %w", name, z.Name, err)
		}
	}
	return nil
}
