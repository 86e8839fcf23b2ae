// Package real runs the real stack on this machine: Consul and Nomad as
// processes that outlive their caller, and everything else as Nomad jobs, those
// of the parts of the platform (NATS, MinIO, PostgreSQL, …) and those of the
// roles. `drydock real` is what people call it with, tests call it directly.
//
// A stack is a folder: its configuration, logs and state are there, and by the
// folder any later program finds the stack and stops it.
package real

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/operate/agents"
)

// Options say what stack to start.
type Options struct {
	Dir string // of the stack; made if it is not there
	// Ports are those to listen on, by the names that PortNames gives; what is
	// not named, or 0, gets a free one.
	Ports map[string]int
	Jobs  fs.FS // the folder of the job files
	// Agent is the configuration of the Nomad agent, the repository's nomad.hcl.
	Agent []byte
	// Driver is what the roles run with: raw_exec, exec or docker. The parts have
	// the driver that Variables or their files say.
	Driver string
	// Variables are values of the job files' HCL variables, by name or job.name.
	Variables map[string]string
	// Path is where programs are looked for, in the form of the environment's PATH.
	Path string
	Out  io.Writer // told of the progress
}

// Stack is one that runs, or ran and was not stopped.
type Stack struct {
	Dir    string         `json:"dir"`
	Nomad  string         `json:"nomad"`  // URL of its API and page
	Consul string         `json:"consul"` // likewise
	DNS    string         `json:"dns"`    // address of Consul's DNS
	Ports  map[string]int `json:"ports"`  // by their names
	Jobs   []string       `json:"jobs"`   // names of the job files
	Path   string         `json:"path"`
}

// NotUpError says that there is no stack in a folder.
type NotUpError struct{ Dir string }

func (e *NotUpError) Error() string { return "no real stack runs in " + e.Dir }

// RunningError says that there is one already.
type RunningError struct{ Stack *Stack }

func (e *RunningError) Error() string {
	return fmt.Sprintf("a real stack runs in %s already: Nomad at %s, Consul at %s", e.Stack.Dir, e.Stack.Nomad, e.Stack.Consul)
}

// Open finds the stack of a folder; a *NotUpError says that there is none.
func Open(dir string) (*Stack, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(dir, stackFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, &NotUpError{Dir: dir}
	}
	if err != nil {
		return nil, fmt.Errorf("open the real stack: %w", err)
	}
	s := &Stack{}
	if err := json.Unmarshal(text, s); err != nil {
		return nil, fmt.Errorf("open the real stack: read %s: %w", filepath.Join(dir, stackFile), err)
	}
	s.Dir = dir // it may have been moved
	return s, nil
}

// Files and folders of a stack.
const (
	stackFile  = "stack.json"
	nomadFile  = "nomad.hcl"
	ownFile    = "override.hcl" // comes after it
	consulFile = "consul.json"
	logsDir    = "logs"
	nomadDir   = "nomad"
	consulDir  = "consul"
	volumesDir = "volumes"
	lockFile   = "lock"
)

const loopback = "127.0.0.1"

// write keeps what Open reads.
func (s *Stack) write() error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err == nil {
		err = os.WriteFile(s.file(stackFile), append(text, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("keep where the stack is: %w", err)
	}
	return nil
}

func (s *Stack) file(names ...string) string {
	return filepath.Join(append([]string{s.Dir}, names...)...)
}

// agent is one of the stack's agents.
func (s *Stack) agent(name string, args ...string) agents.Agent {
	return agents.Agent{
		Name: name, Dir: s.file(logsDir), Command: append([]string{agents.Find(name, s.Path)}, args...), Environment: agents.Environment(s.Dir, s.Path),
	}
}

func (s *Stack) consulAgent() agents.Agent {
	return s.agent("consul", "agent", "-config-file", s.file(consulFile))
}

func (s *Stack) nomadAgent() agents.Agent {
	return s.agent("nomad", "agent", "-config", s.file(nomadFile), "-config", s.file(ownFile))
}

// Running tells whether both agents run.
func (s *Stack) Running() bool { return s.consulAgent().PID() != 0 && s.nomadAgent().PID() != 0 }

// client is a client of the stack's Nomad. The caller closes it.
func (s *Stack) client() (*api.Client, error) {
	return api.NewClient(&api.Config{Address: s.Nomad})
}
