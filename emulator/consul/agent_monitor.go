package consul

import (
	"net/http"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/logs"
)

// monitorBuffer is how many lines of the log may wait for a client. Those that
// it is too slow for are dropped.
const monitorBuffer = 512

// lines passes lines of the log on.
type lines chan []byte

func (l lines) Write(line []byte) (int, error) {
	select {
	case l <- append([]byte(nil), line...):
	default:
	}
	return len(line), nil
}

// agentMonitor sends the log to the client until it has gone.
func agentMonitor(r *request) (any, error) {
	if err := r.need(acl.Read, acl.Agent, r.agent.options.Node); err != nil {
		return nil, err
	}
	name := r.query.Get("loglevel")
	if name == "" {
		name = "INFO"
	}
	level, err := logs.ParseLevel(name)
	if err != nil {
		return nil, badRequest("Unknown log level: %s", name)
	}
	waiting := make(lines, monitorBuffer)
	follower := logs.NewHandler(waiting, level, r.has("logjson"))
	return streamed(func(w http.ResponseWriter) {
		stop := r.agent.dc.consul.fan.Follow(follower)
		defer stop()
		flush(w)
		for {
			select {
			case <-r.Context().Done():
				return
			case line := <-waiting:
				if _, err := w.Write(line); err != nil {
					return
				}
				flush(w)
			}
		}
	}), nil
}
