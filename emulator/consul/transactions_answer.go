package consul

import (
	"net/http"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/state"
)

// transactionResult is what an operation answers: one of its fields.
type transactionResult struct {
	KV      *state.Key      `json:",omitempty"`
	Node    *state.Node     `json:",omitempty"`
	Service *instanceAnswer `json:",omitempty"`
	Check   *state.Check    `json:",omitempty"`
}

// readable tells whether a caller may see the result.
func (t transactionResult) readable(may authorizer) bool {
	switch {
	case t.KV != nil:
		return may.Allows(acl.Read, acl.Key, t.KV.Key)
	case t.Node != nil:
		return may.Allows(acl.Read, acl.Node, t.Node.Node)
	case t.Service != nil:
		return may.Allows(acl.Read, acl.Service, t.Service.Service)
	case t.Check.ServiceName != "":
		return may.Allows(acl.Read, acl.Service, t.Check.ServiceName)
	default:
		return may.Allows(acl.Read, acl.Node, t.Check.Node)
	}
}

type transactionError struct {
	OpIndex int
	What    string
}

type transactionAnswer struct {
	Results []transactionResult
	Errors  []transactionError
}

// readAnswer is the answer of a transaction that only reads.
type readAnswer struct {
	transactionAnswer
	Index                 uint64
	LastContact           int
	KnownLeader           bool
	ConsistencyLevel      string
	NotModified           bool
	Backend               int
	ResultsFilteredByACLs bool
}

// finish is the answer with what belongs to it: one that only reads has
// besides what the headers of a query have.
func (a transactionAnswer) finish(onlyReads bool, query readAnswer) any {
	var answer any = a
	if onlyReads {
		query.transactionAnswer = a
		answer = query
	}
	if a.Errors != nil {
		return withStatus{http.StatusConflict, answer}
	}
	return answer
}
