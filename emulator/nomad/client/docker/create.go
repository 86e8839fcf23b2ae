package docker

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/drydock/drydock/emulator/nomad/client/driver"
	"github.com/drydock/drydock/emulator/nomad/client/environment"
)

// Labels of the containers.
const (
	labelAllocation = "com.hashicorp.nomad.alloc_id"
	// labelOwner has the process ID of who started the container.
	labelOwner = "com.github.drydock.owner"
)

// createRequest is a container as the engine's API takes it.
type createRequest struct {
	Image            string
	Env              []string
	Cmd              []string            `json:",omitempty"`
	Entrypoint       []string            `json:",omitempty"`
	User             string              `json:",omitempty"`
	WorkingDir       string              `json:",omitempty"`
	Hostname         string              `json:",omitempty"`
	Labels           map[string]string   `json:",omitempty"`
	ExposedPorts     map[string]struct{} `json:",omitempty"`
	Tty              bool
	OpenStdin        bool
	HostConfig       hostConfig
	NetworkingConfig *networkingConfig `json:",omitempty"`
}

type hostConfig struct {
	Binds             []string
	Mounts            []mountRequest           `json:",omitempty"`
	PortBindings      map[string][]portBinding `json:",omitempty"`
	NetworkMode       string
	Memory            int64 // in bytes
	MemorySwap        int64 // in bytes; the same as Memory is none
	MemoryReservation int64 `json:",omitempty"` // in bytes
	CPUShares         int64 `json:"CpuShares"`
	PidsLimit         int64 `json:",omitempty"`
	CapAdd            []string
	CapDrop           []string
	DNS               []string `json:"Dns,omitempty"`
	DNSSearch         []string `json:"DnsSearch,omitempty"`
	DNSOptions        []string `json:"DnsOptions,omitempty"`
	ExtraHosts        []string `json:",omitempty"`
	GroupAdd          []string `json:",omitempty"`
	SecurityOpt       []string `json:",omitempty"`
	Sysctls           map[string]string
	ReadonlyRootfs    bool
	ShmSize           int64 `json:",omitempty"`
	Init              bool
	IpcMode           string `json:",omitempty"`
	PidMode           string `json:",omitempty"`
	UTSMode           string `json:",omitempty"`
	Runtime           string `json:",omitempty"`
	LogConfig         logRequest
}

type portBinding struct{ HostIp, HostPort string }

type logRequest struct {
	Type   string
	Config map[string]string
}

type mountRequest struct {
	Type, Source, Target string
	ReadOnly             bool
	BindOptions          map[string]any `json:",omitempty"`
	VolumeOptions        map[string]any `json:",omitempty"`
	TmpfsOptions         map[string]any `json:",omitempty"`
}

type networkingConfig struct {
	EndpointsConfig map[string]endpoint
}

type endpoint struct{ Aliases []string }

// newRequest works out the container of a task.
func newRequest(task driver.Task, c *config) (*createRequest, error) {
	r := &createRequest{
		Image: c.Image, Env: environment.List(task.Env), Entrypoint: c.Entrypoint, User: task.User, WorkingDir: c.WorkDir,
		Hostname: c.Hostname, Tty: c.TTY, OpenStdin: c.Interactive, Cmd: c.Args,
		Labels: map[string]string{labelAllocation: task.Allocation.ID, labelOwner: strconv.Itoa(os.Getpid())},
	}
	if c.Command != "" {
		r.Cmd = append([]string{c.Command}, c.Args...)
	}
	maps.Copy(r.Labels, merged(c.Labels))
	r.HostConfig = hostConfig{
		NetworkMode: c.NetworkMode, CapAdd: capabilities(c.CapAdd), CapDrop: capabilities(append(c.CapDrop, "net_raw")), DNS: c.DNSServers,
		DNSSearch: c.DNSSearchDomains, DNSOptions: c.DNSOptions, ExtraHosts: c.ExtraHosts, GroupAdd: c.GroupAdd,
		SecurityOpt: c.SecurityOptions, Sysctls: merged(c.Sysctl), ReadonlyRootfs: c.ReadOnlyRoot, ShmSize: c.ShmSize, Init: c.Init,
		IpcMode: c.IPCMode, PidMode: c.PIDMode, UTSMode: c.UTSMode, Runtime: c.Runtime, PidsLimit: c.PidsLimit, LogConfig: c.Logging.request(),
	}
	if c.NetworkMode == "" {
		r.HostConfig.NetworkMode = "default"
	}
	if len(c.NetworkAliases) > 0 {
		r.NetworkingConfig = &networkingConfig{EndpointsConfig: map[string]endpoint{c.NetworkMode: {Aliases: c.NetworkAliases}}}
	}
	r.limit(task, c)
	if err := r.bindPorts(task, c); err != nil {
		return nil, err
	}
	return r, r.mount(task, c)
}

// capabilities are the names as the engine is told them, in their order; all are
// all the others too.
func capabilities(names []string) (full []string) {
	for _, name := range names {
		name = strings.TrimPrefix(strings.ToUpper(name), "CAP_")
		if name == "ALL" {
			return []string{name}
		}
		full = append(full, "CAP_"+name)
	}
	slices.Sort(full)
	return slices.Compact(full)
}

// limit sets what the task may use.
func (r *createRequest) limit(task driver.Task, c *config) {
	const mebibyte = 1 << 20
	soft, hard := task.Resources.Memory.MemoryMB, max(task.Resources.Memory.MemoryMaxMB, c.MemoryHardLimit)
	h := &r.HostConfig
	h.Memory = soft * mebibyte
	if hard > soft {
		h.Memory, h.MemoryReservation = hard*mebibyte, soft*mebibyte
	}
	h.MemorySwap = h.Memory
	h.CPUShares = task.Resources.Cpu.CpuShares
}

// bindPorts publishes the ports of the allocation that the task names.
func (r *createRequest) bindPorts(task driver.Task, c *config) error {
	for _, label := range c.Ports {
		p := findPort(task, label)
		if p == nil {
			return worded("Port %q not found, check network block", label)
		}
		if r.ExposedPorts == nil {
			r.ExposedPorts, r.HostConfig.PortBindings = map[string]struct{}{}, map[string][]portBinding{}
		}
		for _, protocol := range []string{"tcp", "udp"} {
			inside := fmt.Sprintf("%d/%s", insidePort(p), protocol)
			r.ExposedPorts[inside] = struct{}{}
			r.HostConfig.PortBindings[inside] = append(r.HostConfig.PortBindings[inside], portBinding{HostIp: p.HostIP, HostPort: strconv.Itoa(p.Value)})
		}
	}
	return nil
}

// request is the engine's own log: of the last two files of two megabytes,
// unless the job says otherwise.
func (l *logging) request() logRequest {
	if l == nil {
		return logRequest{Type: "json-file", Config: map[string]string{"max-file": "2", "max-size": "2m"}}
	}
	kind := l.Type
	if kind == "" {
		kind = l.Driver
	}
	return logRequest{Type: kind, Config: merged(l.Config)}
}

func merged(tables []map[string]string) map[string]string {
	all := map[string]string{}
	for _, t := range tables {
		maps.Copy(all, t)
	}
	return all
}
