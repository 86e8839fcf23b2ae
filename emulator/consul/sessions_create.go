package consul

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/state"
)

const (
	minimumSessionTTL = 10 * time.Second
	maximumSessionTTL = 24 * time.Hour

	defaultLockDelay = 15 * time.Second

	// lockDelaySeconds is the number below which a lock delay is taken for one
	// of seconds, and not of nanoseconds.
	lockDelaySeconds = 1000
)

// newSession is the body of a request to create a session.
type newSession struct {
	Name          string
	Node          string
	LockDelay     lockDelay
	Behavior      string
	TTL           string
	Checks        []string
	NodeChecks    []string
	ServiceChecks []api.ServiceCheck
}

func createSession(r *request) (any, error) {
	body := newSession{
		Node:      r.agent.options.Node,
		LockDelay: lockDelay(defaultLockDelay),
		Behavior:  api.SessionBehaviorRelease,
	}
	if err := r.decode(&body); err != nil {
		return nil, err
	}
	if body.NodeChecks == nil { // Checks is what they were called once
		body.NodeChecks, body.Checks = body.Checks, nil
	}
	if body.NodeChecks == nil {
		body.NodeChecks = []string{state.SerfHealth}
	}
	session, err := body.session()
	if err != nil {
		return nil, err
	}
	if err := r.need(acl.Write, acl.Session, session.Node); err != nil {
		return nil, err
	}
	if err := r.write(func(tx *state.Tx) error { return tx.CreateSession(session) }); err != nil {
		return nil, sessionError(err)
	}
	return map[string]string{"ID": session.ID}, nil
}

// session makes the session that the body describes, with an ID of its own.
func (b *newSession) session() (state.Session, error) {
	session := state.Session{
		ID:            uuid.NewString(),
		Name:          b.Name,
		Node:          b.Node,
		LockDelay:     time.Duration(b.LockDelay),
		Behavior:      b.Behavior,
		TTL:           b.TTL,
		Checks:        b.Checks,
		NodeChecks:    b.NodeChecks,
		ServiceChecks: b.ServiceChecks,
	}
	if b.Behavior != api.SessionBehaviorRelease && b.Behavior != api.SessionBehaviorDelete {
		return session, errText("Invalid Behavior setting '%s'", b.Behavior)
	}
	if b.TTL == "" {
		return session, nil
	}
	ttl, err := time.ParseDuration(b.TTL)
	if err != nil {
		return session, errText("Session TTL '%s' invalid: %v", b.TTL, err)
	}
	if ttl != 0 && (ttl < minimumSessionTTL || ttl > maximumSessionTTL) {
		return session, errText("Invalid Session TTL '%d', must be between [%v=%v]",
			ttl, minimumSessionTTL, maximumSessionTTL)
	}
	return session, nil
}

// sessionError says what is wrong with a session in the words of the API.
func sessionError(err error) error {
	var noNode *state.NoNodeError
	var noCheck *state.NoCheckError
	var critical *state.CriticalCheckError
	switch {
	case errors.As(err, &noNode):
		return errors.New("apply failed: Missing node registration")
	case errors.As(err, &noCheck):
		return fmt.Errorf("apply failed: Missing check '%s' registration", noCheck.CheckID)
	case errors.As(err, &critical):
		return fmt.Errorf("apply failed: Check '%s' is in critical state", critical.CheckID)
	default:
		return err
	}
}

// lockDelay is a duration that a body gives as text, or as a number of seconds
// or nanoseconds.
type lockDelay time.Duration

// UnmarshalJSON reads one. A number that is small is one of seconds.
func (d *lockDelay) UnmarshalJSON(body []byte) error {
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return err
	}
	switch value := value.(type) {
	case string:
		parsed, err := time.ParseDuration(value)
		if err != nil {
			return err
		}
		*d = lockDelay(parsed)
	case float64:
		*d = lockDelay(value)
	}
	if *d < lockDelaySeconds {
		*d *= lockDelay(time.Second)
	}
	return nil
}
