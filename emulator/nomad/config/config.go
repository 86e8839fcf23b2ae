// Package config reads what `nomad agent` is told, on its command line and in
// configuration files, and makes of it the options of package nomad. The
// command `drydock nomad agent` is its caller.
//
// Settings that Nomad has but that have no meaning for an emulated agent, such
// as those of Raft, gossip and Vault, are accepted, and named in Config.Unused.
package config

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"github.com/drydock/drydock/emulator/logs"
	"github.com/drydock/drydock/emulator/nomad"
	"github.com/drydock/drydock/emulator/nomad/topology"
	"github.com/drydock/drydock/emulator/settings"
)

// Config is what an agent is told.
type Config struct {
	Options  nomad.Options // without a Logger
	LogLevel slog.Level
	LogJSON  bool
	LogFile  string // that the log is also written to; may be empty
	// Unused are the settings that were given and have no meaning here, sorted.
	Unused []string
}

// InvalidError says what is wrong with one source of settings.
type InvalidError struct {
	Source string
	Reason error
}

func (e *InvalidError) Error() string {
	return fmt.Sprintf("Error loading configuration from %s: %s", e.Source, e.Reason)
}

func (e *InvalidError) Unwrap() error { return e.Reason }

// refusal is an error in Nomad's own words.
type refusal string

func (r refusal) Error() string { return string(r) }

// Load reads the command line of `nomad agent`, without the program and the
// command, and the files that it names. flag.ErrHelp is the error for -help.
func Load(args []string) (*Config, error) {
	line, err := parseFlags(args)
	if err != nil {
		return nil, err
	}
	all := defaults(line.dev)
	for _, path := range line.files {
		if err := readInto(all, path); err != nil {
			return nil, err
		}
	}
	settings.Merge(all, line.set)
	var s agentSettings
	unused, err := settings.Decode(all, &s)
	if err != nil {
		return nil, &InvalidError{"the settings", err}
	}
	slices.Sort(unused)
	if line.dev {
		s.development()
	}
	c := &Config{LogJSON: s.LogJSON, LogFile: s.LogFile, Unused: unused}
	if c.LogLevel, err = logs.ParseLevel(s.LogLevel); err != nil {
		return nil, err
	}
	c.Options, err = s.options()
	if err != nil || line.topology == "" {
		return c, err
	}
	c.Options.Regions, err = topology.Load(line.topology, c.Options.Regions[0])
	return c, err
}

// readInto adds what a file, or each configuration file of a folder, says.
func readInto(all settings.Tree, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return &InvalidError{path, err}
	}
	files := []string{path}
	if info.IsDir() {
		files = nil
		entries, err := os.ReadDir(path)
		if err != nil {
			return &InvalidError{path, err}
		}
		for _, entry := range entries {
			switch filepath.Ext(entry.Name()) {
			case ".hcl", ".json":
				files = append(files, filepath.Join(path, entry.Name()))
			}
		}
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return &InvalidError{file, err}
		}
		tree, err := settings.Parse(text, filepath.Ext(file) == ".json")
		if err != nil {
			return &InvalidError{file, err}
		}
		settings.Merge(all, tree)
	}
	return nil
}

// commandLine is what the flags say.
type commandLine struct {
	dev      bool
	topology string
	files    []string
	set      settings.Tree
}

var settingFlags = settings.Flags{
	Texts: `alloc-dir=client.alloc_dir bind=bind_addr consul-address=consul.address data-dir=data_dir dc=datacenter
		encrypt=server.encrypt log-file=log_file log-level=log_level network-interface=client.network_interface
		network-speed=client.network_speed node=name node-class=client.node_class node-pool=client.node_pool
		plugin-dir=plugin_dir region=region rejoin=server.rejoin_after_leave state-dir=client.state_dir
		vault-address=vault.address`,
	Lists:    `join=server.server_join.retry_join retry-join=server.server_join.retry_join servers=client.servers`,
	Numbers:  `bootstrap-expect=server.bootstrap_expect gc-interval=client.gc_interval`,
	Switches: `acl-enabled=acl.enabled client=client.enabled log-json=log_json server=server.enabled vault-enabled=vault.enabled`,
}

// parseFlags reads the command line; flag.ErrHelp is the error for -help.
func parseFlags(args []string) (*commandLine, error) {
	line := &commandLine{set: settings.Tree{}}
	flags := line.flags()
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("error parsing command-line flags: %w", err)
	case flags.NArg() > 0:
		return nil, refusal(fmt.Sprintf("Unexpected extra arguments: %v", flags.Args()))
	}
	return line, nil
}
