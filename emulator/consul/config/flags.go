package config

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/drydock/drydock/emulator/settings"
)

// commandLine is what the flags say.
type commandLine struct {
	dev     bool
	format  string // of all files; empty: their extensions tell
	sources []source
	set     map[string]any // settings
	others  []string       // the datacenters besides the agent's own
}

// settingFlags are the flags by the setting that they stand for.
var settingFlags = settings.Flags{
	Texts: `advertise=advertise_addr advertise-wan=advertise_addr_wan alt-domain=alt_domain bind=bind_addr client=client_addr
		data-dir=data_dir default-query-time=default_query_time domain=domain encrypt=encrypt log-file=log_file
		log-level=log_level log-rotate-duration=log_rotate_duration max-query-time=max_query_time node=node_name node-id=node_id
		pid-file=pid_file retry-interval=retry_interval retry-interval-wan=retry_interval_wan segment=segment serf-lan-bind=serf_lan
		serf-wan-bind=serf_wan ui-content-path=ui_config.content_path ui-dir=ui_config.dir`,
	Lists: `allow-write-http-from=http_config.allow_write_http_from join=retry_join join-wan=retry_join_wan
		primary-gateway=primary_gateways recursor=recursors retry-join=retry_join retry-join-wan=retry_join_wan
		serf-lan-allowed-cidrs=serf_lan_allowed_cidrs serf-wan-allowed-cidrs=serf_wan_allowed_cidrs`,
	Numbers: `bootstrap-expect=bootstrap_expect check_output_max_size=check_output_max_size dns-port=ports.dns grpc-port=ports.grpc
		grpc-tls-port=ports.grpc_tls http-port=ports.http https-port=ports.https log-rotate-bytes=log_rotate_bytes
		log-rotate-max-files=log_rotate_max_files protocol=protocol raft-protocol=raft_protocol retry-max=retry_max
		retry-max-wan=retry_max_wan serf-lan-port=ports.serf_lan serf-wan-port=ports.serf_wan server-port=ports.server`,
	Switches: `auto-reload-config=auto_reload_config bootstrap=bootstrap disable-host-node-id=disable_host_node_id
		disable-keyring-file=disable_keyring_file enable-local-script-checks=enable_local_script_checks
		enable-script-checks=enable_script_checks log-json=log_json non-voting-server=read_replica read-replica=read_replica
		rejoin=rejoin_after_leave server=server syslog=enable_syslog ui=ui_config.enabled`,
}

// parseFlags reads the command line; flag.ErrHelp is the error for -help.
func parseFlags(args []string) (*commandLine, error) {
	line := &commandLine{set: map[string]any{}}
	flags := line.flags()
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("error parsing flags: %w", err)
	case flags.NArg() > 0:
		return nil, refusal(fmt.Sprintf("Unexpected extra arguments: %v", flags.Args()))
	}
	return line, nil
}

func (c *commandLine) flags() *flag.FlagSet {
	flags := flag.NewFlagSet("consul agent", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.BoolVar(&c.dev, "dev", false, "run in memory, as a server, with the settings that suit development")
	flags.StringVar(&c.format, "config-format", "", "`hcl` or json: the format of all files, whatever their extension")
	flags.Func("config-file", "`file` in JSON or HCL with settings; may be given several times", func(path string) error {
		c.sources = append(c.sources, source{path: path})
		return nil
	})
	flags.Func("config-dir", "`folder` whose files ending in .json and .hcl are read in order; may be given several times", func(path string) error {
		c.sources = append(c.sources, source{path: path, isFolder: true})
		return nil
	})
	flags.Func("hcl", "a `piece` of HCL with settings; may be given several times", func(piece string) error {
		c.sources = append(c.sources, source{hcl: piece})
		return nil
	})
	flags.Func("node-meta", "`key:value` of the node's metadata; may be given several times", func(pair string) error {
		key, value, _ := strings.Cut(pair, ":")
		settings.Put(c.set, "node_meta."+key, value)
		return nil
	})
	flags.Func("datacenter", "`name` of the datacenter; given several times, the others are there too, with free ports", c.datacenter)
	settingFlags.Add(flags, c.set)
	return flags
}

// datacenter takes the name of the agent's datacenter, and then those of others.
func (c *commandLine) datacenter(name string) error {
	if _, given := c.set["datacenter"]; given {
		c.others = append(c.others, strings.ToLower(name))
	} else {
		settings.Put(c.set, "datacenter", name)
	}
	return nil
}
