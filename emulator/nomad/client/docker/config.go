package docker

import (
	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/zclconf/go-cty/cty"
)

// config is the config block of a task.
type config struct {
	Image            string              `json:"image"`
	ForcePull        bool                `json:"force_pull"`
	ImagePullTimeout string              `json:"image_pull_timeout"`
	Load             string              `json:"load"`
	Auth             *auth               `json:"auth"`
	AuthSoftFail     bool                `json:"auth_soft_fail"`
	Command          string              `json:"command"`
	Args             []string            `json:"args"`
	Entrypoint       []string            `json:"entrypoint"`
	WorkDir          string              `json:"work_dir"`
	Hostname         string              `json:"hostname"`
	Interactive      bool                `json:"interactive"`
	TTY              bool                `json:"tty"`
	Init             bool                `json:"init"`
	Labels           []map[string]string `json:"labels"`
	Ports            []string            `json:"ports"`
	NetworkMode      string              `json:"network_mode"`
	NetworkAliases   []string            `json:"network_aliases"`
	ExtraHosts       []string            `json:"extra_hosts"`
	DNSServers       []string            `json:"dns_servers"`
	DNSSearchDomains []string            `json:"dns_search_domains"`
	DNSOptions       []string            `json:"dns_options"`
	Volumes          []string            `json:"volumes"`
	Mounts           []mount             `json:"mount"`
	ReadOnlyRoot     bool                `json:"readonly_rootfs"`
	ShmSize          int64               `json:"shm_size"`
	CapAdd           []string            `json:"cap_add"`
	CapDrop          []string            `json:"cap_drop"`
	SecurityOptions  []string            `json:"security_opt"`
	GroupAdd         []string            `json:"group_add"`
	Sysctl           []map[string]string `json:"sysctl"`
	PidsLimit        int64               `json:"pids_limit"`
	MemoryHardLimit  int64               `json:"memory_hard_limit"` // in MiB
	IPCMode          string              `json:"ipc_mode"`
	PIDMode          string              `json:"pid_mode"`
	UTSMode          string              `json:"uts_mode"`
	Runtime          string              `json:"runtime"`
	Logging          *logging            `json:"logging"`
}

// auth is who pulls an image.
type auth struct {
	Username      string `json:"username"`
	Password      string `json:"password"`
	Email         string `json:"email"`
	ServerAddress string `json:"server_address"`
}

// mount is a folder or a volume that the container sees.
type mount struct {
	Type     string         `json:"type"` // bind, volume or tmpfs; empty is volume
	Source   string         `json:"source"`
	Target   string         `json:"target"`
	ReadOnly bool           `json:"readonly"`
	Bind     *bindOptions   `json:"bind_options"`
	Volume   *volumeOptions `json:"volume_options"`
	Tmpfs    *tmpfsOptions  `json:"tmpfs_options"`
}

type bindOptions struct {
	Propagation string `json:"propagation"`
}

type volumeOptions struct {
	NoCopy bool                `json:"no_copy"`
	Labels []map[string]string `json:"labels"`
}

type tmpfsOptions struct {
	Size int64 `json:"size"` // in bytes
	Mode int64 `json:"mode"`
}

// logging is how the engine itself keeps what the container prints.
type logging struct {
	Type   string              `json:"type"`
	Driver string              `json:"driver"`
	Config []map[string]string `json:"config"`
}

// Schema is the config block.
func (d *Driver) Schema() hcldec.Spec {
	strings, tables := cty.List(cty.String), cty.List(cty.Map(cty.String))
	spec := attributes(map[string]cty.Type{
		"force_pull": cty.Bool, "image_pull_timeout": cty.String, "load": cty.String, "auth_soft_fail": cty.Bool, "command": cty.String, "args": strings,
		"entrypoint": strings, "work_dir": cty.String, "hostname": cty.String, "interactive": cty.Bool, "tty": cty.Bool, "init": cty.Bool,
		"labels": tables, "ports": strings, "network_mode": cty.String, "network_aliases": strings, "extra_hosts": strings,
		"dns_servers": strings, "dns_search_domains": strings, "dns_options": strings, "volumes": strings, "readonly_rootfs": cty.Bool,
		"shm_size": cty.Number, "cap_add": strings, "cap_drop": strings, "security_opt": strings, "group_add": strings, "sysctl": tables,
		"pids_limit": cty.Number, "memory_hard_limit": cty.Number, "ipc_mode": cty.String, "pid_mode": cty.String, "uts_mode": cty.String,
		"runtime": cty.String,
	})
	spec["image"] = &hcldec.AttrSpec{Name: "image", Type: cty.String, Required: true}
	spec["auth"] = block("auth", attributes(map[string]cty.Type{
		"username": cty.String, "password": cty.String, "email": cty.String, "server_address": cty.String,
	}))
	spec["logging"] = block("logging", attributes(map[string]cty.Type{"type": cty.String, "driver": cty.String, "config": tables}))
	one := attributes(map[string]cty.Type{"type": cty.String, "source": cty.String, "target": cty.String, "readonly": cty.Bool})
	one["bind_options"] = block("bind_options", attributes(map[string]cty.Type{"propagation": cty.String}))
	one["volume_options"] = block("volume_options", attributes(map[string]cty.Type{"no_copy": cty.Bool, "labels": tables}))
	one["tmpfs_options"] = block("tmpfs_options", attributes(map[string]cty.Type{"size": cty.Number, "mode": cty.Number}))
	spec["mount"] = &hcldec.BlockListSpec{TypeName: "mount", Nested: one}
	return spec
}

func attributes(types map[string]cty.Type) hcldec.ObjectSpec {
	spec := hcldec.ObjectSpec{}
	for name, kind := range types {
		spec[name] = &hcldec.AttrSpec{Name: name, Type: kind}
	}
	return spec
}

func block(name string, nested hcldec.ObjectSpec) *hcldec.BlockSpec {
	return &hcldec.BlockSpec{TypeName: name, Nested: nested}
}
