package state

import (
	"fmt"

	"github.com/drydock/drydock/emulator/store"
)

// TableQueries is the table of the prepared queries.
const TableQueries = "queries"

// Query is a prepared query. Its JSON is that of the API.
type Query struct {
	ID          string // a UUID
	Name        string // unique without regard to case; may be empty
	Session     string // that it ends with; empty is none
	Token       string // the secret with which it is executed; empty is that of whoever executes it
	Template    QueryTemplate
	Service     ServiceQuery
	DNS         QueryDNS
	CreateIndex uint64
	ModifyIndex uint64
}

// QueryTemplate makes a query one for all names that begin with its own.
type QueryTemplate struct {
	Type            string // name_prefix_match, or empty for a query that is no template
	Regexp          string
	RemoveEmptyTags bool
}

// ServiceQuery says which instances a query is for.
type ServiceQuery struct {
	Service        string
	SamenessGroup  string
	Failover       QueryFailover
	OnlyPassing    bool
	IgnoreCheckIDs []string
	Near           string
	Tags           []string
	NodeMeta       map[string]string
	ServiceMeta    map[string]string
	Connect        bool
	Peer           string
}

// QueryFailover says where else to look when there is nothing here.
type QueryFailover struct {
	NearestN    int
	Datacenters []string
	Targets     []QueryTarget
}

// QueryTarget is a datacenter, or another cluster, to look in.
type QueryTarget struct {
	Peer       string
	Datacenter string
}

// QueryDNS is how the answer of a query is served by DNS.
type QueryDNS struct{ TTL string }

func queryTables() store.Schema {
	return store.Schema{
		TableQueries: store.Rows[Query](
			store.Unique("id", store.Field("ID")),
			store.Many("name", store.Folded("Name")),
			store.Many("session", store.Field("Session")),
		),
	}
}

// Query finds a prepared query by its ID; nil when there is none.
func (v *View) Query(id string) *Query { return store.First[Query](v, TableQueries, "id", id) }

// QueryNamed finds a prepared query by its name or, failing that, the template
// with the longest name that the name begins with; nil when there is none.
func (v *View) QueryNamed(name string) *Query {
	if exact := store.First[Query](v, TableQueries, "name", name); exact != nil && name != "" {
		return exact
	}
	var longest *Query
	for q := range store.All[Query](v, TableQueries, "id") {
		fits := q.Template.Type != "" && len(q.Name) <= len(name) && SameName(q.Name, name[:len(q.Name)])
		if fits && (longest == nil || len(q.Name) > len(longest.Name)) {
			longest = q
		}
	}
	return longest
}

// QueryNameError says that another query has the name.
type QueryNameError struct{ Name string }

func (e *QueryNameError) Error() string {
	if e.Name == "" {
		return "a query template with an empty name already exists"
	}
	return fmt.Sprintf("name '%s' aliases an existing query name", e.Name)
}

// PutQuery stores a prepared query, new or changed. The error is a
// *QueryNameError or a *NoSessionError.
func (tx *Tx) PutQuery(q Query) error {
	if holder := tx.queryHolding(q); holder != nil && holder.ID != q.ID {
		return &QueryNameError{q.Name}
	}
	if q.Session != "" && tx.Session(q.Session) == nil {
		return &NoSessionError{q.Session}
	}
	q.CreateIndex, q.ModifyIndex = tx.ChangeIndex(), tx.ChangeIndex()
	if old := tx.Query(q.ID); old != nil {
		q.CreateIndex = old.CreateIndex
	}
	tx.Insert(TableQueries, &q)
	return nil
}

// queryHolding finds the query that has the name of q. Of those without a name
// only templates have one, in effect: each is for all names.
func (v *View) queryHolding(q Query) *Query {
	if q.Name != "" {
		return store.First[Query](v, TableQueries, "name", q.Name)
	}
	if q.Template.Type == "" {
		return nil
	}
	for other := range store.All[Query](v, TableQueries, "id") {
		if other.Name == "" && other.Template.Type != "" {
			return other
		}
	}
	return nil
}

// DeleteQuery removes a prepared query. It does nothing when there is none.
func (tx *Tx) DeleteQuery(id string) {
	if q := tx.Query(id); q != nil {
		tx.Delete(TableQueries, q)
	}
}

// endQueriesOfSession removes the queries that are bound to a session that has ended.
func (tx *Tx) endQueriesOfSession(session string) {
	for _, q := range store.Collect[Query](tx, TableQueries, "session", session) {
		tx.Delete(TableQueries, q)
	}
}
