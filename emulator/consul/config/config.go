// Package config reads what `consul agent` is told, on its command line and in
// configuration files, and makes of it the options of package consul. The
// command `drydock consul agent` is its caller.
//
// Settings that Consul documents but that have no meaning for an emulated
// agent, such as those of Raft and gossip, are accepted, and named in
// Config.Unused. What Consul does not know is refused in its words.
package config

import (
	"log/slog"

	"github.com/drydock/drydock/emulator/consul"
	"github.com/drydock/drydock/emulator/logs"
	"github.com/drydock/drydock/emulator/settings"
)

// Config is what an agent is told.
type Config struct {
	Options  consul.Options // without a Logger
	Dev      bool
	LogLevel slog.Level
	LogJSON  bool
	LogFile  string // that the log is also written to; may be empty
	PIDFile  string // may be empty
	// Unused are the settings that were given and have no meaning here, sorted.
	Unused []string
}

// Load reads the command line of `consul agent`, without the program and the
// command, and the files that it names. flag.ErrHelp is the error for -help.
func Load(args []string) (*Config, error) {
	s, unused, err := read(args)
	if err != nil {
		return nil, err
	}
	c := &Config{Dev: s.Dev, LogJSON: s.LogJSON, LogFile: s.LogFile, PIDFile: s.PIDFile, Unused: unused}
	if c.LogLevel, err = logs.ParseLevel(s.LogLevel); err != nil {
		return nil, err
	}
	if c.Options, err = s.options(); err != nil {
		return nil, err
	}
	// Whenever the agent is told to reload, it reads all of it again.
	c.Options.Datacenters[0].Agents[0].Definitions = func() (consul.Definitions, error) {
		again, _, err := read(args)
		if err != nil {
			return consul.Definitions{}, err
		}
		return again.definitions(), nil
	}
	return c, nil
}

// read brings all sources together, the command line last.
func read(args []string) (*agentSettings, []string, error) {
	line, err := parseFlags(args)
	if err != nil {
		return nil, nil, err
	}
	all := defaults(line.dev)
	var unused []string
	for _, from := range line.sources {
		list, err := from.read(line.format)
		if err != nil {
			return nil, nil, err
		}
		for _, values := range list {
			ignored, err := check(values)
			if err != nil {
				return nil, nil, err
			}
			unused = append(unused, ignored...)
			settings.Merge(all, values.tree)
		}
	}
	flags := tree{name: "the command line", tree: line.set}
	ignored, err := check(flags)
	if err != nil {
		return nil, nil, err
	}
	settings.Merge(all, line.set)
	var s agentSettings
	if _, err := decode(all, &s); err != nil {
		return nil, nil, err
	}
	s.others = line.others
	return &s, distinct(append(unused, ignored...)), nil
}
