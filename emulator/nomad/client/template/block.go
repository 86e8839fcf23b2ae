package template

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/consul-template/config"
	"github.com/hashicorp/consul-template/template"
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/client/environment"
	"github.com/drydock/drydock/emulator/nomad/client/hook"
)

// block is one template block.
type block struct {
	spec     *api.Template
	template *template.Template
	settings *config.Config // for the functions
	root     string         // of the allocation
	file     string         // the destination, below root
	perms    fs.FileMode

	done    bool   // it has been rendered
	output  string // what it was rendered to last
	missing []string

	// What it waits for before it is rendered.
	candidate     string
	first, latest time.Time // when the output, and this output, first came
}

func newBlock(task hook.Task, env environment.Env, spec *api.Template) (*block, error) {
	p := newPaths(task, env)
	b := &block{spec: spec, root: p.root}
	var err error
	if b.file, err = p.find(*spec.DestPath); err != nil {
		return nil, errors.New("template destination path escapes alloc directory")
	}
	perms, err := strconv.ParseUint(*spec.Perms, 8, 12)
	if err != nil {
		return nil, fmt.Errorf("failed to parse %q as octal: %w", *spec.Perms, err)
	}
	b.perms = fs.FileMode(perms)
	namespace := task.Allocation().Namespace
	b.settings = &config.Config{Nomad: &config.NomadConfig{Namespace: &namespace}}
	input := &template.NewTemplateInput{
		Contents: *spec.EmbeddedTmpl, Destination: *spec.DestPath,
		LeftDelim: *spec.LeftDelim, RightDelim: *spec.RightDelim, ErrMissingKey: *spec.ErrMissingKey,
		SandboxPath:      p.task,
		FunctionDenylist: []string{"plugin", "writeToFile"}, // as Nomad's client has it
		ExtFuncMap:       envFunctions(env),
	}
	if *spec.SourcePath != "" {
		source, err := p.find(*spec.SourcePath)
		if err != nil {
			return nil, errors.New("template source path escapes alloc directory")
		}
		input.Contents, input.Source = "", filepath.Join(p.root, source)
		input.ReaderFunc = func(string) ([]byte, error) { return p.read(source) }
	}
	if b.template, err = template.NewTemplate(input); err != nil {
		return nil, err
	}
	return b, nil
}

// execute runs the template with what is known.
func (b *block) execute(brain *template.Brain) (*template.ExecuteResult, error) {
	result, err := b.template.Execute(&template.ExecuteInput{Brain: brain, Config: b.settings})
	if err != nil {
		return nil, &failure{fmt.Sprintf("Template failed: %s: %s", b.template.Source(), err)}
	}
	return result, nil
}

// quiet is when the output may be written: once it has stayed as it is for the
// time that wait has as min, or the first other than the written one is as old
// as max.
func (b *block) quiet(output string, now time.Time) time.Time {
	if b.spec.Wait == nil || b.done && output == b.output {
		b.first = time.Time{}
		return now
	}
	if b.first.IsZero() {
		b.first, b.latest, b.candidate = now, now, output
	}
	if output != b.candidate {
		b.latest, b.candidate = now, output
	}
	return earliest(b.latest.Add(*b.spec.Wait.Min), b.first.Add(*b.spec.Wait.Max))
}

// write replaces the destination in one step, so that a task never reads half
// of it, and reports whether it is other than before.
func (b *block) write(output string) (changed bool, err error) {
	b.first = time.Time{}
	if b.done && output == b.output {
		return false, nil
	}
	root, err := os.OpenRoot(b.root) // nothing outside can be written through it
	if err == nil {
		err = b.replace(root, output)
		_ = root.Close()
	}
	if err != nil {
		return false, &failure{"Template failed: error rendering: " + err.Error()}
	}
	b.done, b.output = true, output
	return true, nil
}

func (b *block) replace(root *os.Root, output string) error {
	if err := root.MkdirAll(filepath.Dir(b.file), 0o755); err != nil {
		return err
	}
	next := filepath.Join(filepath.Dir(b.file), "."+filepath.Base(b.file)+".next")
	if err := root.WriteFile(next, []byte(output), 0o600); err != nil {
		return err
	}
	if err := b.own(root, next); err != nil {
		return err
	}
	if err := root.Chmod(next, b.perms); err != nil {
		return err
	}
	return root.Rename(next, b.file)
}

// own gives the file to the user and the group that the block names.
func (b *block) own(root *os.Root, file string) error {
	uid, gid := -1, -1
	if b.spec.Uid != nil {
		uid = *b.spec.Uid
	}
	if b.spec.Gid != nil {
		gid = *b.spec.Gid
	}
	if uid < 0 && gid < 0 {
		return nil
	}
	return root.Chown(file, uid, gid)
}

// paths are how a block names files of the allocation.
type paths struct {
	root string // the allocation directory
	task string // the task directory
	env  environment.Env
}

func newPaths(task hook.Task, env environment.Env) paths {
	dir := task.Dir()
	return paths{root: filepath.Dir(dir.Root), task: dir.Root, env: env.With(map[string]string{
		"NOMAD_ALLOC_DIR": dir.Shared, "NOMAD_TASK_DIR": dir.Local(), "NOMAD_SECRETS_DIR": dir.Secrets(),
	})}
}

// find resolves a path: below the task directory, unless it names one of the
// allocation's folders in full. The result is below root.
func (p paths) find(path string) (string, error) {
	path = filepath.Clean(p.env.Interpolate(path))
	if path != p.root && !strings.HasPrefix(path, p.root+string(filepath.Separator)) {
		path = filepath.Join(p.task, path)
	}
	relative, err := filepath.Rel(p.root, path)
	if err != nil || !filepath.IsLocal(relative) {
		return "", fmt.Errorf("%s is outside of the allocation directory", path)
	}
	return relative, nil
}

func (p paths) read(file string) ([]byte, error) {
	root, err := os.OpenRoot(p.root)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return root.ReadFile(file)
}
