package nomad

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"runtime"
	runtimepprof "runtime/pprof"
	"runtime/trace"
	"strconv"
	"strings"
	"time"

	"github.com/drydock/drydock/emulator/nomad/acl"
)

// maxProfile bounds how long a profile is taken.
const maxProfile = 5 * time.Minute

// agentProfile answers with what Go's profiler knows of the process: cmdline,
// profile, trace, or one of the runtime's own.
func (r *request) agentProfile() (any, error) {
	if !r.asked.nomad.options.Debug && !r.asked.nomad.options.ACL {
		return nil, notFound("404 page not found")
	}
	if err := r.need(acl.Write, acl.Agent); err != nil {
		return nil, err
	}
	if err := r.knowsAgent(); err != nil {
		return nil, err
	}
	name := r.PathValue("profile")
	body, err := r.profile(name)
	if err != nil {
		return nil, err
	}
	if r.header.Get("Content-Type") == "" {
		r.header.Set("Content-Type", "application/octet-stream")
		r.header.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name))
	}
	return text(body), nil
}

func (r *request) profile(name string) ([]byte, error) {
	var body bytes.Buffer
	switch name {
	case "cmdline":
		r.header.Set("Content-Type", "text/plain; charset=utf-8")
		return []byte(strings.Join(os.Args, "\x00")), nil
	case "profile":
		return r.during(runtimepprof.StartCPUProfile(&body), runtimepprof.StopCPUProfile, &body)
	case "trace":
		return r.during(trace.Start(&body), trace.Stop, &body)
	}
	found := runtimepprof.Lookup(name)
	if found == nil {
		return nil, notFound("Pprof profile not found profile: %s", name)
	}
	if r.query.Get("gc") == "1" && name == "heap" {
		runtime.GC()
	}
	debug, _ := strconv.Atoi(r.query.Get("debug"))
	if debug > 0 {
		r.header.Set("Content-Type", "text/plain; charset=utf-8")
	}
	err := found.WriteTo(&body, debug)
	return body.Bytes(), err
}

// during lets what was started run for the seconds that are asked for, 1 by default.
func (r *request) during(started error, stop func(), body *bytes.Buffer) ([]byte, error) {
	if started != nil {
		return nil, fail(http.StatusInternalServerError, "%v", started)
	}
	seconds, _ := strconv.Atoi(r.query.Get("seconds"))
	select {
	case <-time.After(min(time.Duration(max(seconds, 1))*time.Second, maxProfile)):
	case <-r.Context().Done():
	}
	stop()
	return body.Bytes(), nil
}
