package consul

import (
	"context"
	"time"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/disk"
	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/mem"

	"github.com/drydock/drydock/emulator/consul/acl"
)

// hostAnswer is what an agent tells about the machine that it is on.
type hostAnswer struct {
	Memory         *mem.VirtualMemoryStat
	CPU            []cpu.InfoStat
	Host           *host.InfoStat
	Disk           *disk.UsageStat
	CollectionTime int64 // nanoseconds since 1970
	Errors         []error
}

func agentHost(r *request) (any, error) {
	if err := r.need(acl.Read, acl.Operator, ""); err != nil {
		return nil, err
	}
	return lookAtHost(r.Context(), r.agent.dc.consul.options.Dir), nil
}

func lookAtHost(ctx context.Context, folder string) (h hostAnswer) {
	h.CollectionTime = time.Now().UnixNano()
	if folder == "" {
		folder = "/"
	}
	var errs [4]error
	h.Memory, errs[0] = mem.VirtualMemoryWithContext(ctx)
	h.CPU, errs[1] = cpu.InfoWithContext(ctx)
	h.Host, errs[2] = host.InfoWithContext(ctx)
	h.Disk, errs[3] = disk.UsageWithContext(ctx, folder)
	for _, err := range errs {
		if err != nil {
			h.Errors = append(h.Errors, err)
		}
	}
	return h
}
