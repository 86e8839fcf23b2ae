package docker

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strconv"
	"syscall"
)

// removeLeft removes the containers of owners that were killed: nobody waits
// for their end any more.
func (d *Driver) removeLeft(ctx context.Context) {
	filters, err := json.Marshal(map[string][]string{"label": {labelOwner}})
	if err != nil {
		return
	}
	var found []struct {
		ID     string
		Labels map[string]string
	}
	if err := d.engine.get(ctx, "/containers/json?all=1&filters="+url.QueryEscape(string(filters)), &found); err != nil {
		d.log.Warn("containers that were left are not looked for", "error", err)
		return
	}
	for _, c := range found {
		if pid, err := strconv.Atoi(c.Labels[labelOwner]); err == nil && !runs(pid) {
			d.remove(c.ID)
		}
	}
}

// runs reports whether there is a process.
func runs(pid int) bool { return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }
