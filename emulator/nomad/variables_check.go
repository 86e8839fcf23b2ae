package nomad

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-multierror"
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// maxVariable is how many bytes the names and values of a variable may have together.
const maxVariable = 64 << 10

var variablePaths = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile("^[a-zA-Z0-9-_~/]{1,128}$") })

// givenVariable is a variable as clients write it. Where it is says the request.
type givenVariable struct {
	Namespace string
	Items     api.VariableItems
	Lock      *givenLock
}

type givenLock struct {
	ID        string
	TTL       state.TTL
	LockDelay state.TTL
}

// refuseVariable is how the servers refuse what clients write.
func refuseVariable(format string, args ...any) error {
	return badRequest("RPC Error:: %d,%s", http.StatusBadRequest, fmt.Sprintf(format, args...))
}

// checkPlace is an error unless there can be a variable at the path.
func checkPlace(namespace, path string) error {
	const jobs, templates = "nomad/jobs", "nomad/job-templates"
	if namespace == allNamespaces {
		return refuseVariable(`can not target wildcard ("*")namespace`)
	}
	if !variablePaths().MatchString(path) {
		return refuseVariable("invalid path %q", path)
	}
	template, inTemplates := strings.CutPrefix(path, templates)
	switch {
	case path == "nomad":
		return refuseVariable(`"nomad" is a reserved top-level directory path, but you may write variables to "nomad/jobs", "nomad/job-templates", "nomad/sentinel", or below`)
	case !strings.HasPrefix(path, "nomad/"), path == jobs, strings.HasPrefix(path, jobs+"/"):
		return nil
	case inTemplates && strings.Count(template, "/") == 1 && len(template) > 1:
		return nil
	case inTemplates:
		return refuseVariable(`"nomad/job-templates" is a reserved directory path, but you may write variables at the level below it, for example, "nomad/job-templates/template-name"`)
	default:
		return refuseVariable(`only paths at "nomad/jobs" or "nomad/job-templates" and below are valid paths under the top-level "nomad" directory`)
	}
}

// checkSize is an error when the items are too many, or too long.
func checkSize(items api.VariableItems) error {
	size := 0
	for name, value := range items {
		size += len(name) + len(value)
	}
	if size > maxVariable {
		return refuseVariable("variables are limited to 64KiB in total size")
	}
	return nil
}

const (
	defaultLock = 15 * time.Second // its TTL, and its delay
	minLockTTL  = 10 * time.Second
	maxLockTTL  = 24 * time.Hour
)

// complete gives a lock that is to be acquired what is not given of it.
func (l *givenLock) complete() (*api.VariableLock, error) {
	if l == nil {
		l = &givenLock{}
	}
	ttl, delay := time.Duration(l.TTL), time.Duration(l.LockDelay)
	if ttl == 0 {
		ttl = defaultLock
	}
	if delay == 0 {
		delay = defaultLock
	}
	var problems *multierror.Error
	if ttl < 0 || delay < 0 {
		problems = multierror.Append(problems, badRequest("Lock delay and TTL must be positive"))
	} else if ttl < minLockTTL || ttl > maxLockTTL {
		problems = multierror.Append(problems, badRequest("TTL must be between 10 seconds and 24 hours"))
	}
	if problems != nil {
		return nil, refuseVariable("%v", problems)
	}
	return &api.VariableLock{ID: l.ID, TTL: ttl.String(), LockDelay: delay.String()}, nil
}

// id is the lock's ID; none for no lock.
func (l *givenLock) id() string {
	if l == nil {
		return ""
	}
	return l.ID
}
