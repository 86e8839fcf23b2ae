package client

import (
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/hashicorp/consul-template/template"
	"github.com/hashicorp/nomad/api"
)

// templates renders the template blocks of a task into its directory.
type templates struct {
	task     *task
	rendered []string // what each was rendered to last
	started  bool     // all have been rendered once
	live     bool     // one of them asks for services, which come and go
}

// templateChange is what is to be done about templates that have changed under a running process.
type templateChange struct {
	restart bool
	signals []syscall.Signal
	splay   time.Duration // a random part of the splay of the first that changed
}

func (c *templateChange) any() bool { return c.restart || len(c.signals) > 0 }

// render renders all templates before a start and returns the variables of those with env = true.
func (s *templates) render() (map[string]string, error) {
	env := map[string]string{}
	for i, spec := range s.task.spec.Templates {
		if s.started && *spec.Once {
			continue
		}
		if _, err := s.renderOne(i); err != nil {
			return nil, err
		}
	}
	s.started = true
	for i, spec := range s.task.spec.Templates {
		if !*spec.Envvars {
			continue
		}
		vars, err := parseEnv(s.rendered[i])
		if err != nil {
			return nil, fmt.Errorf("template %q: %w", *spec.DestPath, err)
		}
		maps.Copy(env, vars)
	}
	return env, nil
}

// refresh renders the templates again that depend on services, and adds to change what must be done about the changed ones.
func (s *templates) refresh(change *templateChange) error {
	if !s.live {
		return nil
	}
	for i, spec := range s.task.spec.Templates {
		if *spec.Once {
			continue
		}
		changed, err := s.renderOne(i)
		if err != nil {
			return err
		}
		if !changed || *spec.ChangeMode == "noop" {
			continue
		}
		if !change.any() && *spec.Splay > 0 {
			change.splay = rand.N(*spec.Splay)
		}
		if *spec.ChangeMode == "restart" {
			change.restart = true
			continue
		}
		signal, err := signalNamed(*spec.ChangeSignal)
		if err != nil {
			return err
		}
		change.signals = append(change.signals, signal)
	}
	return nil
}

// renderOne renders a template and writes it when it is not as before.
func (s *templates) renderOne(i int) (changed bool, err error) {
	spec := s.task.spec.Templates[i]
	defer func() {
		if err != nil {
			err = fmt.Errorf("template %q: %w", *spec.DestPath, err)
		}
	}()
	root, err := os.OpenRoot(s.task.alloc.dir) // nothing outside can be read or written through it
	if err != nil {
		return false, err
	}
	defer root.Close()
	text := *spec.EmbeddedTmpl
	if *spec.SourcePath != "" {
		if text, err = s.readSource(root, *spec.SourcePath); err != nil {
			return false, err
		}
	}
	output, err := s.execute(spec, text)
	if err != nil {
		return false, err
	}
	if s.started && output == s.rendered[i] {
		return false, nil
	}
	perms, err := parsePerms(*spec.Perms)
	if err != nil {
		return false, err
	}
	if *spec.Envvars {
		perms &= 0o700 // whatever it says: these are the secrets
	}
	if err := s.write(root, *spec.DestPath, output, perms); err != nil {
		return false, err
	}
	s.rendered[i] = output
	return true, nil
}

func (s *templates) readSource(root *os.Root, source string) (string, error) {
	path, err := s.inAllocation(source)
	if err != nil {
		return "", fmt.Errorf("source: %w", err)
	}
	text, err := root.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read source: %w", err)
	}
	return string(text), nil
}

// write replaces the destination in one step, so that a task never reads half of it, nor anyone else what is a secret.
func (s *templates) write(root *os.Root, destination, text string, perms fs.FileMode) error {
	path, err := s.inAllocation(destination)
	if err != nil {
		return fmt.Errorf("destination: %w", err)
	}
	if err := root.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("make folder of the destination: %w", err)
	}
	next := path + ".next"
	if err := root.WriteFile(next, []byte(text), 0o600); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	if err := root.Chmod(next, perms); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	if err := root.Rename(next, path); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// inAllocation resolves a path of a template: relative to the task directory, and within the allocation directory.
func (s *templates) inAllocation(path string) (string, error) {
	path, err := s.task.env.interpolate(path)
	if err != nil {
		return "", err
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(s.task.dir, path)
	}
	relative, err := filepath.Rel(s.task.alloc.dir, path)
	if err != nil || !filepath.IsLocal(relative) {
		return "", fmt.Errorf("%s is outside of the allocation directory: use a path below ${NOMAD_TASK_DIR}, ${NOMAD_SECRETS_DIR} or ${NOMAD_ALLOC_DIR}", path)
	}
	return relative, nil
}

// execute runs a template with consul-template's functions, again until all it asks for has been looked up.
func (s *templates) execute(spec *api.Template, text string) (string, error) {
	tmpl, err := template.NewTemplate(&template.NewTemplateInput{
		Contents: text, Destination: *spec.DestPath,
		LeftDelim: *spec.LeftDelim, RightDelim: *spec.RightDelim, ErrMissingKey: *spec.ErrMissingKey,
		SandboxPath:      s.task.dir,
		FunctionDenylist: []string{"plugin", "writeToFile"}, // as Nomad's client has it
		ExtFuncMap:       envFunctions(s.task.env),
	})
	if err != nil {
		return "", err
	}
	facts := s.task.alloc.n.newFacts(s.task.dir)
	for {
		result, err := tmpl.Execute(&template.ExecuteInput{Brain: facts.brain})
		if err != nil {
			return "", err
		}
		if facts.services {
			s.live = true
		}
		if result.Missing.Len() == 0 {
			return string(result.Output), nil
		}
		for _, dependency := range result.Missing.List() {
			if err := facts.lookUp(dependency); err != nil {
				return "", err
			}
		}
	}
}

// envFunctions are consul-template's env functions over the environment of the task alone: its own look into that of the
// owner as well.
func envFunctions(e environment) map[string]any {
	return map[string]any{
		"env": func(name string) string { return e.vars[name] },
		"envOrDefault": func(name, otherwise string) string {
			if value, ok := e.vars[name]; ok {
				return value
			}
			return otherwise
		},
		"mustEnv": func(name string) (string, error) {
			if value := e.vars[name]; value != "" {
				return value, nil
			}
			return "", fmt.Errorf("the environment of the task has no %s: set it in env", name)
		},
	}
}

func parsePerms(text string) (fs.FileMode, error) {
	mode, err := strconv.ParseUint(text, 8, 12)
	if err != nil || mode > 0o777 {
		return 0, fmt.Errorf("%q is no file mode: write it in octal, like \"0640\"", text)
	}
	return fs.FileMode(mode), nil
}
