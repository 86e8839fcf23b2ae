package nomad

import (
	"os"

	"github.com/hashicorp/nomad/api"
	"github.com/shirou/gopsutil/v4/disk"
	"github.com/shirou/gopsutil/v4/host"

	"github.com/drydock/drydock/emulator/nomad/acl"
)

// agentHost tells about the machine that the agent is on. What may be a secret
// in its environment is not told.
func (r *request) agentHost() (any, error) {
	if !r.asked.nomad.options.Debug && !r.asked.nomad.options.ACL {
		return nil, errDenied
	}
	if err := r.need(acl.Read, acl.Agent); err != nil {
		return nil, err
	}
	if err := r.knowsAgent(); err != nil {
		return nil, err
	}
	data := &api.HostData{OS: osName(r), Environment: map[string]string{}, Disk: map[string]api.DiskUsage{}}
	if hosts, err := os.ReadFile("/etc/hosts"); err == nil {
		data.Hosts = string(hosts)
	}
	if resolv, err := os.ReadFile("/etc/resolv.conf"); err == nil {
		data.ResolvConf = string(resolv)
	}
	for _, name := range []string{"PATH", "HOME", "LANG", "SHELL", "TERM", "USER"} {
		if value, ok := os.LookupEnv(name); ok {
			data.Environment[name] = value
		}
	}
	if usage, err := disk.UsageWithContext(r.Context(), r.asked.nomad.options.Dir); err == nil {
		data.Disk[usage.Path] = api.DiskUsage{DiskMB: int64(usage.Total >> 20), UsedMB: int64(usage.Used >> 20)}
	}
	return api.HostDataResponse{AgentID: r.asked.id, HostData: data}, nil
}

func osName(r *request) string {
	info, err := host.InfoWithContext(r.Context())
	if err != nil {
		return ""
	}
	return info.Platform + " " + info.PlatformVersion + " " + info.KernelVersion
}
