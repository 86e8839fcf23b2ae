package client

import (
	"syscall"
	"time"

	"github.com/hashicorp/nomad/api"
)

// minRenewal is the least time between two tokens of an identity.
const minRenewal = time.Second

// renewLater has a token signed anew when half of its life is over.
func (t *taskRunner) renewLater(identity *api.WorkloadIdentity, expires time.Time) {
	if expires.IsZero() {
		return
	}
	wait := max(time.Until(expires)/2, minRenewal)
	t.alloc.spawn(func() {
		if t.pause(wait) {
			t.renew(identity)
		}
	})
}

// renew has a token signed anew, and acts on the change as the identity says.
func (t *taskRunner) renew(identity *api.WorkloadIdentity) {
	if err := t.sign(identity); err != nil {
		t.alloc.node.log.Warn("identity is not renewed", "task", t.spec().Name, "identity", identityName(identity), "error", err)
		t.renewLater(identity, time.Now().Add(2*serverRetry))
		return
	}
	switch identity.ChangeMode {
	case "restart":
		_ = t.restart(restartRequest{event: renewedEvent(identityName(identity), 0)})
	case "signal":
		signal := signalOr(identity.ChangeSignal, syscall.SIGINT)
		_ = t.signal(renewedEvent(identityName(identity), signal), signal)
	}
}
