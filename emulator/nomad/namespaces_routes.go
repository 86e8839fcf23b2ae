package nomad

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"sync"

	"github.com/hashicorp/go-multierror"
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

func namespaceRoutes() []route {
	return []route{
		faithful(http.MethodGet, "/v1/namespaces", (*request).namespaces),
		faithful(http.MethodPut, "/v1/namespace", (*request).putNamespace),
		faithful(http.MethodGet, "/v1/namespace/{name...}", (*request).oneNamespace),
		faithful(http.MethodPut, "/v1/namespace/{name...}", (*request).putNamespace),
		faithful(http.MethodDelete, "/v1/namespace/{name...}", (*request).deleteNamespace),
	}
}

var namespaceNames = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile("^[a-zA-Z0-9-]{1,128}$") })

// namespaceAnswer is a namespace as it is told.
type namespaceAnswer struct {
	*api.Namespace
	Hash []byte
}

func (r *request) namespaces() (any, error) {
	may, err := r.may()
	if err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		list := []namespaceAnswer{}
		for n := range view.Namespaces(r.query.Get("prefix")) {
			if may.SeesNamespace(n.Name) {
				list = append(list, namespaceAnswer{n, state.NamespaceHash(n)})
			}
		}
		return list, tableIndex(view, state.TableNamespaces), nil
	})
}

func (r *request) oneNamespace() (any, error) {
	name := r.PathValue("name")
	if name == "" {
		return nil, badRequest("Missing Namespace Name")
	}
	may, err := r.may()
	if err != nil {
		return nil, err
	}
	if !may.SeesNamespace(name) {
		return nil, errDenied
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		n := view.Namespace(name)
		if n == nil {
			return nil, tableIndex(view, state.TableNamespaces), notFound("Namespace not found")
		}
		return namespaceAnswer{n, state.NamespaceHash(n)}, n.ModifyIndex, nil
	})
}

// putNamespace creates a namespace, or changes it, in all regions.
func (r *request) putNamespace() (any, error) {
	name, inPath := r.PathValue("name"), r.URL.Path != "/v1/namespace"
	if inPath && name == "" {
		return nil, badRequest("Missing Namespace Name")
	}
	var namespace api.Namespace
	if err := r.decode(&namespace); err != nil {
		return nil, err
	}
	if inPath && namespace.Name != name {
		return nil, badRequest("Namespace name does not match request path")
	}
	if err := r.needManagement(); err != nil {
		return nil, err
	}
	if err := checkNamespace(&namespace); err != nil {
		return nil, fail(http.StatusInternalServerError, "Invalid namespace %q: %v", namespace.Name, err)
	}
	if namespace.Quota != "" {
		return nil, fmt.Errorf("namespace %q using non-existent quota %q", namespace.Name, namespace.Quota)
	}
	return nil, r.writeEverywhere(func(tx *state.Tx) error {
		own := namespace
		tx.UpsertNamespace(&own)
		return nil
	})
}

// checkNamespace finds everything that is wrong with a namespace.
func checkNamespace(n *api.Namespace) error {
	var problems *multierror.Error
	add := func(problem error) { problems = multierror.Append(problems, problem) }
	if !namespaceNames().MatchString(n.Name) {
		add(fmt.Errorf("invalid name %q. Must match regex %s", n.Name, namespaceNames()))
	}
	if len(n.Description) > maxDescription {
		add(fmt.Errorf("description longer than %d", maxDescription))
	}
	if n.NodePoolConfiguration != nil {
		add(unlicensed("node pool configuration", "Node Pools Governance"))
	}
	if n.VaultConfiguration != nil {
		add(unlicensed("vault configuration", "Multi-Cluster Vault"))
	}
	if n.ConsulConfiguration != nil {
		add(unlicensed("consul configuration", "Multi-Cluster Consul"))
	}
	return problems.ErrorOrNil()
}

// unlicensed says that a part of a namespace is not in the community edition.
func unlicensed(part, feature string) error {
	return fail(http.StatusInternalServerError, "invalid %s: %s is unlicensed.", part, feature)
}

// deleteNamespace removes a namespace in which nothing is.
func (r *request) deleteNamespace() (any, error) {
	name := r.PathValue("name")
	if name == "" {
		return nil, badRequest("Missing Namespace Name")
	}
	if err := r.needManagement(); err != nil {
		return nil, err
	}
	if name == api.DefaultNamespace {
		return nil, errors.New("can not delete default namespace")
	}
	if r.region.store.View().Namespace(name) == nil {
		return nil, errors.New("namespace not found")
	}
	if err := r.region.nomad.checkEmpty(fmt.Sprintf("namespace %q", name), []use{
		{"has non-terminal jobs", func(view *state.View) bool { return jobsLeft(view, name) }},
		{"has non-terminal allocations", func(view *state.View) bool { return allocationsLeft(view, name) }},
		{"has variables associated with it", func(view *state.View) bool { return variablesLeft(view, name) }},
	}); err != nil {
		return nil, err
	}
	return nil, r.writeEverywhere(func(tx *state.Tx) error {
		if n := tx.Namespace(name); n != nil {
			tx.DeleteNamespace(n)
		}
		return nil
	})
}

func jobsLeft(view *state.View, namespace string) bool {
	for job := range view.JobsOf(namespace, "") {
		if *job.Status != state.JobDead {
			return true
		}
	}
	return false
}

func allocationsLeft(view *state.View, namespace string) bool {
	for a := range view.Allocations() {
		if a.Namespace == namespace && !a.Terminal() {
			return true
		}
	}
	return false
}

func variablesLeft(view *state.View, namespace string) bool {
	for range view.VariablesOf(namespace, "") {
		return true
	}
	return false
}
