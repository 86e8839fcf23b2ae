package consul

import (
	"runtime"
	"strconv"

	"github.com/drydock/drydock/emulator/consul/state"
	"github.com/drydock/drydock/emulator/members"
	"github.com/drydock/drydock/emulator/store"
)

// stats counts things, as texts.
func (a *agent) stats() map[string]map[string]string {
	services, list, ttls, monitors := a.countLocal()
	stats := map[string]map[string]string{
		"agent": {
			"services": services, "checks": list, "check_ttls": ttls, "check_monitors": monitors,
		},
		"build": {"prerelease": "", "revision": "", "version": Version, "version_metadata": ""},
		"consul": {
			"acl": a.aclStat(), "server": strconv.FormatBool(a.isServer()),
		},
		"runtime": {
			"arch": runtime.GOARCH, "cpu_count": strconv.Itoa(runtime.NumCPU()), "goroutines": strconv.Itoa(runtime.NumGoroutine()),
			"max_procs": strconv.Itoa(runtime.GOMAXPROCS(0)), "os": runtime.GOOS, "version": runtime.Version(),
		},
		"serf_lan": serfStats(a.dc.members),
	}
	if !a.isServer() {
		stats["consul"]["known_servers"] = "1"
		return stats
	}
	index := strconv.FormatUint(a.dc.store.View().LastIndex(), 10)
	stats["consul"]["bootstrap"] = "false"
	stats["consul"]["known_datacenters"] = strconv.Itoa(len(a.dc.consul.datacenters))
	stats["consul"]["leader"] = "true"
	stats["consul"]["leader_addr"] = a.dc.leader()
	stats["raft"] = map[string]string{
		"applied_index": index, "commit_index": index, "last_log_index": index, "state": "Leader", "num_peers": "0",
		"last_contact": "0", "protocol_version": "3",
	}
	stats["serf_wan"] = serfStats(a.dc.consul.servers)
	return stats
}

func (a *agent) aclStat() string {
	if a.dc.consul.options.ACL.Enabled {
		return "enabled"
	}
	return "disabled"
}

func (a *agent) countLocal() (services, list, ttls, monitors string) {
	view := a.dc.store.View()
	var s, c, t, m int
	for range store.All[state.LocalService](view, state.TableLocalServices, "node", a.options.Node) {
		s++
	}
	for check := range store.All[state.LocalCheck](view, state.TableLocalChecks, "node", a.options.Node) {
		c++
		switch {
		case check.Runs == nil:
		case check.Runs.TTL > 0:
			t++
		case len(check.Runs.ScriptArgs) > 0:
			m++
		}
	}
	return strconv.Itoa(s), strconv.Itoa(c), strconv.Itoa(t), strconv.Itoa(m)
}

func serfStats(pool *members.Pool) map[string]string {
	failed, left := 0, 0
	list := pool.List()
	for _, m := range list {
		switch m.Status {
		case members.Failed:
			failed++
		case members.Left:
			left++
		}
	}
	return map[string]string{
		"encrypted": "false", "failed": strconv.Itoa(failed), "health_score": "0", "left": strconv.Itoa(left), "members": strconv.Itoa(len(list)),
	}
}
