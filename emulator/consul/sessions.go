package consul

import (
	"net/http"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/state"
	"github.com/drydock/drydock/emulator/store"
)

func sessionRoutes() []route {
	return []route{
		faithful(http.MethodPut, "/v1/session/create", createSession),
		faithful(http.MethodPut, "/v1/session/destroy/{id...}", destroySession),
		faithful(http.MethodPut, "/v1/session/renew/{id...}", renewSession),
		faithful(http.MethodGet, "/v1/session/info/{id...}", sessionInfo),
		faithful(http.MethodGet, "/v1/session/node/{node...}", sessionsOfNode),
		faithful(http.MethodGet, "/v1/session/list", listSessions),
	}
}

func destroySession(r *request) (any, error) {
	session, err := r.ownSession()
	if err != nil || session == nil {
		return true, err
	}
	return true, r.write(func(tx *state.Tx) error {
		tx.EndSession(session.ID)
		return nil
	})
}

func renewSession(r *request) (any, error) {
	session, err := r.ownSession()
	if err != nil {
		return nil, err
	}
	if session == nil {
		return nil, notFound("Session id '%s' not found", r.PathValue("id"))
	}
	r.dc.sessions.renew(session)
	return []*state.Session{session}, nil
}

// ownSession finds the session that the path names and the caller may write;
// nil when there is none.
func (r *request) ownSession() (*state.Session, error) {
	id, err := r.sessionID()
	if err != nil {
		return nil, err
	}
	session := r.dc.store.View().Session(id)
	if session == nil {
		return nil, nil
	}
	return session, r.need(acl.Write, acl.Session, session.Node)
}

func (r *request) sessionID() (string, error) {
	id := r.PathValue("id")
	if id == "" {
		return "", badRequest("Missing session")
	}
	return id, nil
}

func sessionInfo(r *request) (any, error) {
	id, err := r.sessionID()
	if err != nil {
		return nil, err
	}
	return r.listSessions("id", id)
}

func sessionsOfNode(r *request) (any, error) {
	node := r.PathValue("node")
	if node == "" {
		return nil, badRequest("Missing node name")
	}
	return r.listSessions("node", node)
}

func listSessions(r *request) (any, error) { return r.listSessions("id") }

// listSessions answers the sessions that an index leads to and the caller may read.
func (r *request) listSessions(index string, args ...any) (any, error) {
	c, err := r.identify()
	if err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		list := []*state.Session{}
		for session := range store.All[state.Session](view, state.TableSessions, index, args...) {
			if c.may.Allows(acl.Read, acl.Session, session.Node) {
				list = append(list, session)
			} else {
				r.filtered()
			}
		}
		return list, view.Index(state.TableSessions), nil
	})
}
