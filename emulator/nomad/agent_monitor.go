package nomad

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/logs"
	"github.com/drydock/drydock/emulator/nomad/acl"
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

// agentMonitor sends the log to the client until it has gone, in frames or,
// with plain, as it is. All agents of one process have one log.
func (r *request) agentMonitor() (any, error) {
	if err := r.need(acl.Read, acl.Agent); err != nil {
		return nil, err
	}
	name := r.query.Get("log_level")
	if name == "" {
		name = "INFO"
	}
	level, err := logs.ParseLevel(name)
	if err != nil {
		return nil, badRequest("Unknown log level: %s", name)
	}
	if err := r.knowsAgent(); err != nil {
		return nil, err
	}
	waiting := make(lines, monitorBuffer)
	follower := logs.NewHandler(waiting, level, r.flag("log_json"))
	return streamed(func(w http.ResponseWriter) {
		stop := r.asked.nomad.fan.Follow(follower)
		defer stop()
		r.sendLines(w, waiting)
	}), nil
}

func (r *request) sendLines(w http.ResponseWriter, waiting lines) {
	plain := r.flag("plain")
	flusher := http.NewResponseController(w)
	if !plain {
		w.Header().Set("Content-Type", "application/json")
		w.Write([]byte("{}"))
	}
	for {
		if flusher.Flush() != nil {
			return
		}
		var line []byte
		select {
		case <-r.Context().Done():
			return
		case line = <-waiting:
		}
		if !plain {
			line, _ = json.Marshal(api.StreamFrame{Data: line, FileEvent: "log"}) // which can always be written as JSON
		}
		if _, err := w.Write(line); err != nil {
			return
		}
	}
}

// knowsAgent is an error unless the server or the node that a request names is here.
func (r *request) knowsAgent() error {
	if id := r.query.Get("server_id"); id != "" && id != "leader" {
		for _, region := range r.asked.nomad.regions {
			if id == region.id || id == region.serverName() || id == region.options.Server {
				return nil
			}
		}
		return fail(http.StatusInternalServerError, "unknown Nomad server %s", id)
	}
	id := r.query.Get("node_id")
	if id == "" {
		return nil
	}
	if r.region.store.View().Node(id) == nil {
		return fail(http.StatusInternalServerError, "%s", errors.New("Unknown node "+id))
	}
	return nil
}
