package consul

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/consul/api"
)

// uuidLength is how many characters a UUID has.
const uuidLength = 36

func createIntention(r *request) (any, error) {
	body, err := r.namedIntention()
	if err != nil {
		return nil, err
	}
	id := uuid.NewString()
	err = r.changeIntentions(body.DestinationName, func(entry *api.ServiceIntentionsConfigEntry) error {
		if slices.ContainsFunc(entry.Sources, func(s *api.SourceIntention) bool { return s.LegacyID == "" }) {
			return fmt.Errorf("cannot use legacy intention API to edit intentions with a destination of %q "+
				"after editing them via a service-intentions config entry", entry.Name)
		}
		entry.Sources = append(entry.Sources, sourceOf(body, id, nil))
		return nil
	})
	return map[string]string{"ID": id}, err
}

// namedIntention reads and checks the body of a request that writes an
// intention by its ID, which the caller has to have the permission for.
func (r *request) namedIntention() (*api.Intention, error) {
	var body api.Intention
	if err := r.decode(&body); err != nil {
		return nil, err
	}
	if body.DestinationName == "" {
		return nil, errDenied
	}
	if err := r.mayIntend(body.DestinationName); err != nil {
		return nil, err
	}
	partial := func(name string) bool { return name != wildcard && strings.Contains(name, wildcard) }
	refuse := func(format string, args ...any) error {
		return fail(http.StatusInternalServerError, "%v", oneError(format, args...))
	}
	switch {
	case body.SourceName == "":
		return nil, refuse("SourceName must be set")
	case partial(body.SourceName):
		return nil, refuse("SourceName: wildcard character '*' cannot be used with partial values")
	case partial(body.DestinationName):
		return nil, refuse("DestinationName: wildcard character '*' cannot be used with partial values")
	case body.Action != api.IntentionActionAllow && body.Action != api.IntentionActionDeny:
		return nil, refuse("Action must be set to 'allow' or 'deny'")
	}
	return &body, nil
}

// sourceOf makes the source of an intention that has an ID, in place of the old one.
func sourceOf(body *api.Intention, id string, old *api.SourceIntention) *api.SourceIntention {
	now := time.Now().UTC()
	created := &now
	if old != nil {
		created = old.LegacyCreateTime
	}
	return &api.SourceIntention{
		Name: body.SourceName, Action: body.Action, Description: body.Description,
		LegacyID: id, LegacyMeta: body.Meta, LegacyCreateTime: created, LegacyUpdateTime: &now,
	}
}

func getIntention(r *request) (any, error) {
	id := r.PathValue("id")
	if len(id) != uuidLength {
		return nil, badRequest("failed config entry lookup: index error: UUID must be 36 characters")
	}
	return r.oneIntention(func(i *intention) bool { return i.ID == id })
}

func updateIntention(r *request) (any, error) {
	id := r.PathValue("id")
	body, err := r.namedIntention()
	if err != nil {
		return nil, err
	}
	old, err := r.existing(id)
	if err != nil {
		return nil, err
	}
	if old == nil {
		return nil, fail(http.StatusInternalServerError, "Cannot modify non-existent intention: '%s'", id)
	}
	if old.DestinationName != body.DestinationName {
		return nil, fail(http.StatusInternalServerError, "Cannot modify Destination partition/namespace/name for an intention once it exists.")
	}
	err = r.changeIntentions(body.DestinationName, func(entry *api.ServiceIntentionsConfigEntry) error {
		at := slices.IndexFunc(entry.Sources, func(s *api.SourceIntention) bool { return s.LegacyID == id })
		if at < 0 {
			return fail(http.StatusInternalServerError, "Cannot modify non-existent intention: '%s'", id)
		}
		entry.Sources[at] = sourceOf(body, id, entry.Sources[at])
		return nil
	})
	return map[string]string{"ID": id}, err
}

func deleteIntention(r *request) (any, error) {
	id := r.PathValue("id")
	old, err := r.existing(id)
	if err != nil {
		return nil, err
	}
	if old == nil {
		return nil, fail(http.StatusInternalServerError, "Cannot delete non-existent intention: '%s'", id)
	}
	if err := r.mayIntend(old.DestinationName); err != nil {
		return nil, err
	}
	err = r.changeIntentions(old.DestinationName, func(entry *api.ServiceIntentionsConfigEntry) error {
		entry.Sources = slices.DeleteFunc(entry.Sources, func(s *api.SourceIntention) bool { return s.LegacyID == id })
		return nil
	})
	return err == nil, err
}

// existing finds an intention by its ID; nil when there is none.
func (r *request) existing(id string) (*intention, error) {
	all, err := intentions(r.dc.store.View())
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(all, func(i *intention) bool { return i.ID == id }); i >= 0 {
		return all[i], nil
	}
	return nil, nil
}

// pair reads the parameters source and destination.
func (r *request) pair() (source, destination string, err error) {
	if source, err = r.serviceParameter("source"); err != nil {
		return "", "", err
	}
	destination, err = r.serviceParameter("destination")
	return source, destination, err
}

// serviceParameter reads a parameter that names a service, before which the
// namespace may stand, which is always default.
func (r *request) serviceParameter(name string) (string, error) {
	value := r.query.Get(name)
	if value == "" {
		return "", fail(http.StatusInternalServerError, "required query parameter '%s' not set", name)
	}
	return plainService(value)
}

// plainService takes the namespace and partition off a service's name.
func plainService(value string) (string, error) {
	parts := strings.Split(value, "/")
	for _, part := range parts[:len(parts)-1] {
		if part != "default" {
			return "", badRequest("Invalid namespace or partition %q: there is only \"default\"", part)
		}
	}
	return parts[len(parts)-1], nil
}
