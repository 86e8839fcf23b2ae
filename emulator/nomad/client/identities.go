package client

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sync"

	"github.com/hashicorp/nomad/api"
)

// defaultIdentity is the name of the identity that each task has.
const defaultIdentity = "default"

// identities are the tokens by which a task proves what it is.
type identities struct {
	mu     sync.Mutex
	tokens map[string]string // by name
	vars   map[string]string
}

// exposed reports whether the task is to see any of its tokens.
func (*identities) exposed(spec *api.Task) bool {
	for _, identity := range identitiesOf(spec) {
		if identity.Env || identity.File {
			return true
		}
	}
	return false
}

// identitiesOf are those that the job asks for.
func identitiesOf(spec *api.Task) []*api.WorkloadIdentity {
	var all []*api.WorkloadIdentity
	if spec.Identity != nil {
		all = append(all, spec.Identity)
	}
	return append(all, spec.Identities...)
}

func identityName(identity *api.WorkloadIdentity) string {
	if identity.Name == "" {
		return defaultIdentity
	}
	return identity.Name
}

// variables are those that show tokens to the task.
func (i *identities) variables() map[string]string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return maps.Clone(i.vars)
}

// token is a token by the identity's name; empty without.
func (i *identities) token(name string) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.tokens[name]
}

// set takes over a token, and a variable that shows it unless its name is empty.
func (i *identities) set(name, token, variable string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.tokens == nil {
		i.tokens, i.vars = map[string]string{}, map[string]string{}
	}
	i.tokens[name] = token
	if variable != "" {
		i.vars[variable] = token
	}
}

// show adds a variable that goes with the tokens.
func (i *identities) show(variable, value string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.vars[variable] = value
}

// prepareIdentities has the tokens signed that somebody reads. Signing is what
// takes longest of the start of a small task, and every task has an identity.
func (t *taskRunner) prepareIdentities() error {
	asked := identitiesOf(t.spec())
	if t.spec().Identity == nil {
		asked = append(asked, &api.WorkloadIdentity{Name: defaultIdentity})
	}
	for _, identity := range asked {
		if !t.reads(identity) || t.identities.token(identityName(identity)) != "" {
			continue
		}
		if err := t.sign(identity); err != nil {
			return err
		}
	}
	return nil
}

// reads reports whether anything reads a token of the identity, or is to happen
// when it is renewed: the task, or its templates, which ask the servers as what
// the task is by default.
func (t *taskRunner) reads(identity *api.WorkloadIdentity) bool {
	if identity.Env || identity.File || identity.TTL > 0 {
		return true
	}
	return identityName(identity) == defaultIdentity && len(t.spec().Templates) > 0
}

// sign has one token signed and shows it to the task.
func (t *taskRunner) sign(identity *api.WorkloadIdentity) error {
	name := identityName(identity)
	token, expires, err := t.alloc.node.options.Server.SignIdentity(t.alloc.latest().ID, t.spec().Name, identity)
	if err != nil {
		return fmt.Errorf("sign the identity %q of the task: %w", name, err)
	}
	variable := ""
	if identity.Env {
		variable = "NOMAD_TOKEN"
		if name != defaultIdentity {
			variable += "_" + name
		}
	}
	t.identities.set(name, token, variable)
	if identity.File {
		if err := t.writeToken(identity, token); err != nil {
			return fmt.Errorf("write the identity %q of the task: %w", name, err)
		}
	}
	t.renewLater(identity, expires)
	return nil
}

// writeToken replaces the file of a token in one step.
func (t *taskRunner) writeToken(identity *api.WorkloadIdentity, token string) error {
	path := filepath.Join(filepath.Base(t.dir.Secrets()), "nomad_token")
	switch name := identityName(identity); {
	case identity.Filepath != "":
		path = t.environment().InterpolatePath(identity.Filepath)
	case name != defaultIdentity:
		path = filepath.Join(filepath.Base(t.dir.Secrets()), "nomad_"+name+".jwt")
	}
	if filepath.IsAbs(path) {
		relative, err := filepath.Rel(t.dir.Root, path)
		if err != nil {
			return err
		}
		path = relative
	}
	root, err := os.OpenRoot(t.dir.Root)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	if err := root.WriteFile(path+".new", []byte(token), 0o644); err != nil {
		return err
	}
	return root.Rename(path+".new", path)
}
