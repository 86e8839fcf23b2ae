package consul

import (
	"net/http"

	"github.com/google/uuid"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/state"
	"github.com/drydock/drydock/emulator/store"
)

func queryRoutes() []route {
	return []route{
		faithful(http.MethodPost, "/v1/query", createQuery),
		faithful(http.MethodGet, "/v1/query", listQueries),
		faithful(http.MethodGet, "/v1/query/{query...}", getQuery),
		faithful(http.MethodPut, "/v1/query/{query...}", updateQuery),
		faithful(http.MethodDelete, "/v1/query/{query...}", deleteQuery),
		faithful(http.MethodGet, "/v1/query/{query}/execute", executeQuery),
		faithful(http.MethodGet, "/v1/query/{query}/explain", explainQuery),
	}
}

func createQuery(r *request) (any, error) {
	var q state.Query
	if err := r.decodeStrictly(&q); err != nil {
		return nil, err
	}
	if q.ID != "" {
		return nil, errText("ID must be empty when creating a new prepared query")
	}
	q.ID = uuid.NewString()
	if err := r.putQuery(q); err != nil {
		return nil, err
	}
	return struct{ ID string }{q.ID}, nil
}

func updateQuery(r *request) (any, error) {
	old, err := r.queryToChange()
	if err != nil {
		return nil, err
	}
	var q state.Query
	if r.ContentLength != 0 {
		if err := r.decodeStrictly(&q); err != nil {
			return nil, err
		}
	}
	q.ID = old.ID
	return nil, r.putQuery(q)
}

func (r *request) putQuery(q state.Query) error {
	if err := r.needToWriteQuery(&q); err != nil {
		return err
	}
	if err := validateQuery(&q); err != nil {
		return errText("Invalid prepared query: %v", err)
	}
	err := r.write(func(tx *state.Tx) error {
		if err := tx.PutQuery(q); err != nil {
			return err
		}
		return compileTemplate(&q)
	})
	if err != nil {
		return errText("raft apply failed: %v", err)
	}
	return nil
}

func deleteQuery(r *request) (any, error) {
	q, err := r.queryToChange()
	if err != nil {
		return nil, err
	}
	return nil, r.write(func(tx *state.Tx) error { tx.DeleteQuery(q.ID); return nil })
}

// queryToChange finds the query that the path names, which the caller has to
// be allowed to write.
func (r *request) queryToChange() (*state.Query, error) {
	id := r.PathValue("query")
	if err := checkQueryID(id); err != nil {
		return nil, errText("Prepared Query lookup failed: %v", err)
	}
	q := r.dc.store.View().Query(id)
	if q == nil {
		return nil, errText("Cannot modify non-existent prepared query: '%s'", id)
	}
	return q, r.needToWriteQuery(q)
}

// needToReadQuery is an error unless the caller may read a query, as who manages
// access control may all. Who knows the ID of one without a name may do
// everything with it.
func (r *request) needToReadQuery(q *state.Query) error {
	c, err := r.identify()
	if err != nil || isUnnamed(q) || c.may.Allows(acl.Write, acl.ACL, "") {
		return err
	}
	return r.needBriefly(acl.Read, acl.Query, q.Name)
}

// needToWriteQuery is needToReadQuery for those who want to change it.
func (r *request) needToWriteQuery(q *state.Query) error {
	if isUnnamed(q) {
		_, err := r.identify()
		return err
	}
	return r.need(acl.Write, acl.Query, q.Name)
}

// isUnnamed tells whether a query is found by its ID alone. A template without
// a name is for all names.
func isUnnamed(q *state.Query) bool { return q.Name == "" && q.Template.Type == "" }

// checkQueryID is an error for what cannot be the ID of a query.
func checkQueryID(id string) error {
	if len(id) != len(uuid.Nil.String()) {
		return errText("failed prepared query lookup: index error: UUID must be 36 characters")
	}
	return nil
}

func getQuery(r *request) (any, error) {
	id := r.PathValue("query")
	if err := checkQueryID(id); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		q := view.Query(id)
		if q == nil {
			return nil, view.Index(state.TableQueries), errQueryNotFound
		}
		if err := r.needToReadQuery(q); err != nil {
			return nil, 0, err
		}
		return []*state.Query{r.redacted(q)}, q.ModifyIndex, nil
	})
}

var errQueryNotFound = notFound("Query not found")

// listQueries leaves out the queries without a name, unless the caller manages
// access control: knowing their IDs is the right to use them.
func listQueries(r *request) (any, error) {
	c, err := r.identify()
	if err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		list := []*state.Query{}
		for q := range store.All[state.Query](view, state.TableQueries, "id") {
			switch {
			case c.may.Allows(acl.Write, acl.ACL, ""):
				list = append(list, r.redacted(q))
			case isUnnamed(q):
			case !c.may.Allows(acl.Read, acl.Query, q.Name):
				r.filtered()
			default:
				list = append(list, r.redacted(q))
			}
		}
		return list, view.Index(state.TableQueries), nil
	})
}

// redactedToken stands for a token that the caller may not see.
const redactedToken = "<hidden>"

// redacted is the query without its token, which only those see who manage
// access control. The caller has been identified.
func (r *request) redacted(q *state.Query) *state.Query {
	if q.Token == "" || r.need(acl.Write, acl.ACL, "") == nil {
		return q
	}
	shown := *q
	shown.Token = redactedToken
	return &shown
}
