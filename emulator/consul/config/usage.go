package config

import (
	"flag"
	"fmt"
	"io"
)

// Usage tells how `consul agent` is used: each flag with the setting of the
// files that it stands for, or what it does.
func Usage(to io.Writer) {
	fmt.Fprint(to, "Usage: consul agent [options]\n\n  Starts an emulated Consul agent and runs until an interrupt is received.\n\n")
	flags := (&commandLine{set: map[string]any{}}).flags()
	flags.VisitAll(func(f *flag.Flag) {
		if isUnused(f.Usage) {
			return
		}
		_, usage := flag.UnquoteUsage(f)
		fmt.Fprintf(to, "  -%-28s%s\n", f.Name, usage)
	})
}
