package nomad

import (
	"net/http"

	"github.com/hashicorp/go-memdb"
)

// lookupID is an error unless the text may be the ID of a thing, as what looks
// one up says it.
func lookupID(thing, id string) error {
	_, err := (&memdb.UUIDFieldIndex{}).FromArgs(id)
	return lookupError(thing, err)
}

// lookupPrefix is an error unless the text may be the beginning of the ID of a
// thing; what looks up deployments does not say that it does.
func lookupPrefix(thing, prefix string) error {
	_, err := (&memdb.UUIDFieldIndex{}).PrefixFromArgs(prefix)
	return lookupError(thing, err)
}

func lookupError(thing string, err error) error {
	switch {
	case err == nil:
		return nil
	case thing == "":
		return fail(http.StatusInternalServerError, "index error: %v", err)
	}
	return fail(http.StatusInternalServerError, "%s lookup failed: index error: %v", thing, err)
}
