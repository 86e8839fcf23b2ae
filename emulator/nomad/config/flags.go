package config

import (
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/drydock/drydock/emulator/settings"
)

func (c *commandLine) flags() *flag.FlagSet {
	flags := flag.NewFlagSet("nomad agent", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	dev := func(string) error {
		c.dev = true
		return nil
	}
	flags.BoolFunc("dev", "server and client in one, in memory, with the settings that suit development", dev)
	flags.BoolFunc("dev-connect", "as -dev", dev)
	flags.BoolFunc("dev-consul", "as -dev", dev)
	flags.StringVar(&c.topology, "topology", "", "`file` with the regions, zones and nodes to run, in place of one node")
	flags.Func("config", "`file` in HCL or JSON with settings, or folder of such files; may be given several times", func(path string) error {
		c.files = append(c.files, path)
		return nil
	})
	flags.Func("meta", "`key=value` of the node's metadata; may be given several times", func(pair string) error {
		key, value, ok := strings.Cut(pair, "=")
		if !ok {
			return fmt.Errorf("%q is not key=value", pair)
		}
		settings.Put(c.set, "client.meta."+key, value)
		return nil
	})
	settingFlags.Add(flags, c.set)
	return flags
}

// Usage tells how `nomad agent` is used: each flag with the setting of the
// files that it stands for, or what it does.
func Usage(to io.Writer) {
	fmt.Fprint(to, "Usage: nomad agent [options]\n\n  Starts an emulated Nomad agent and runs until an interrupt is received.\n\n")
	(&commandLine{set: settings.Tree{}}).flags().VisitAll(func(f *flag.Flag) {
		_, usage := flag.UnquoteUsage(f)
		fmt.Fprintf(to, "  -%-28s%s\n", f.Name, usage)
	})
}
