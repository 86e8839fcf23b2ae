//go:build !image

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/drydock/drydock/emulator"
	"github.com/drydock/drydock/emulator/market"
	"github.com/drydock/drydock/emulator/nomad/topology"
	"github.com/drydock/drydock/jobs"
)

// startWait bounds the start of the stack; a failing role says why well before.
const startWait = time.Minute

// upOptions are the flags of drydock up.
type upOptions struct {
	dir       string
	ephemeral bool
	ports     []string // name=port
	freePorts bool
	jobs      string
	topology  string
	market    market.Options
	verbose   bool
}

// defaultPorts are the ports of the parts and of the jobs' APIs: those that
// programs of their kind commonly have.
var defaultPorts = map[string]int{
	"uploads":            8080,
	"alerts":             8082,
	"deadletters":        8083,
	emulator.PartObjects: 9000,
	emulator.PartEvents:  4222,
	emulator.PartMarket:  8084,
	emulator.PartMail:    1025,
	emulator.PartInbox:   8025,
	emulator.PartConsul:  8500,
	emulator.PartDNS:     8600,
	emulator.PartNomad:   4646,
}

func upCommand() *cobra.Command {
	var o upOptions
	cmd := &cobra.Command{
		Use:     "up",
		GroupID: groupPeople,
		Short:   "Start the offline stack and every role, and stay in the foreground",
		Long: `Start the offline stack and every role: a real nats-server, an S3 endpoint, a Consul,
and a Nomad that runs the job files, the same ones that any Nomad cluster runs.
It stays in the foreground; Ctrl-C stops everything and keeps the state.`,
		Example: `  drydock up
  drydock up --ephemeral --free-ports      a throw-away stack beside another one
  drydock up --port uploads=80,events=0    the page on port 80, the event bus on a free one
  drydock up --jobs ./jobs --verbose       your own job files, and what their tasks print
  drydock up --market-data prices.csv --market-speed 60    your own prices, a minute in a second`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return up(cmd.Context(), o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.dir, "dir", ".drydock", "folder that keeps the state over restarts")
	flags.BoolVar(&o.ephemeral, "ephemeral", false, "keep no state: use a temporary folder instead of --dir")
	flags.StringSliceVar(&o.ports, "port", nil, "listen on `name=port`, for a part or a job's API; 0 picks a free port (default "+portList(defaultPorts)+")")
	flags.BoolVar(&o.freePorts, "free-ports", false, "free ports for all that --port does not name")
	flags.StringSliceVar(&o.market.CSV, "market-data", nil, "CSV file or folder with daily or minute prices that the market feed replays")
	flags.Float64Var(&o.market.Speed, "market-speed", 1, "how fast they are replayed: 60 is a minute in a second")
	flags.StringVar(&o.market.Script, "market-script", "", "JSON file of events for the market feed: crashes, halts, a feed that is down, …")
	flags.Uint64Var(&o.market.Seed, "market-seed", 0, "decides the made-up prices: the same seed, the same prices")
	flags.StringVar(&o.jobs, "jobs", "", "folder with the job files *.nomad.hcl to run (default: those built in)")
	flags.StringVar(&o.topology, "topology", "", "file with the regions, zones and nodes of Nomad (default: three nodes, in the zones a, b and c)")
	flags.BoolVarP(&o.verbose, "verbose", "v", false, "show what the tasks print")
	return cmd
}

// choosePorts says which port everything gets. It refuses what cannot be a
// port, and two on one.
func (o upOptions) choosePorts(files fs.FS) (map[string]int, error) {
	ports := map[string]int{}
	for name, port := range defaultPorts {
		_, err := fs.Stat(files, name+".nomad.hcl")
		if !o.freePorts && (err == nil || slices.Contains(emulator.Parts(), name)) {
			ports[name] = port
		}
	}
	for _, given := range o.ports {
		name, number, found := strings.Cut(given, "=")
		if !found {
			return nil, fmt.Errorf("--port %s names no port: it takes one as uploads=8080", given)
		}
		port, err := strconv.ParseUint(number, 10, 16)
		if err != nil {
			return nil, fmt.Errorf("--port %s is not a port: it takes a number from 0 to 65535", given)
		}
		ports[name] = int(port)
	}
	names := map[int]string{}
	for _, name := range slices.Sorted(maps.Keys(ports)) {
		port := ports[name]
		if other := names[port]; other != "" && port != 0 {
			return nil, fmt.Errorf("%s and %s are both on port %d: choose another with --port", other, name, port)
		}
		names[port] = name
	}
	return ports, nil
}

// stack says what stack the flags ask for.
func (o upOptions) stack(stderr io.Writer) (emulator.Options, error) {
	options := emulator.Options{
		Dir:    o.dir,
		Market: o.market,
		Jobs:   jobs.Files,
		Logger: slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	if o.ephemeral {
		options.Dir = ""
	}
	if o.topology != "" {
		var err error
		if options.Regions, err = topology.Load(o.topology, topology.Default("global")); err != nil {
			return options, err
		}
	}
	if o.jobs != "" {
		var err error
		if options.Jobs, err = jobFolder(o.jobs); err != nil {
			return options, fmt.Errorf("--jobs %s: %w", o.jobs, err)
		}
	}
	var err error
	if options.Ports, err = o.choosePorts(options.Jobs); err != nil {
		return options, err
	}
	if o.verbose {
		options.Output = stderr
	}
	self, err := os.Executable()
	if err != nil {
		return options, fmt.Errorf("find this program's folder: %w", err)
	}
	options.Path = []string{filepath.Dir(self)}
	return options, nil
}

// up runs the stack until the context ends.
func up(ctx context.Context, o upOptions, stdout, stderr io.Writer) error {
	began := time.Now()
	options, err := o.stack(stderr)
	if err != nil {
		return err
	}
	starting, cancel := context.WithTimeout(ctx, startWait)
	defer cancel()
	stack, err := emulator.Start(starting, options)
	var taken *emulator.PortTakenError
	var used *emulator.FolderInUseError
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return nil // stopped before it was up
	case errors.As(err, &taken) && taken.Label != "":
		return fmt.Errorf("%w: stop it, or choose another in the job file", taken)
	case errors.As(err, &taken):
		return fmt.Errorf("%w: stop it, or choose another port with --port %s=0, or for all with --free-ports", taken, taken.Part)
	case errors.As(err, &used):
		return fmt.Errorf("%w: stop it, or choose another folder with --dir", used)
	default:
		return err
	}
	printUp(stdout, stack, time.Since(began), o)
	<-ctx.Done()
	fmt.Fprintln(stdout, "\nStopping; the tasks finish what they hold. Ctrl-C again stops at once.")
	if err := stack.Close(); err != nil {
		return fmt.Errorf("stop the offline stack: %w", err)
	}
	fmt.Fprintln(stdout, "Stopped.")
	return nil
}

func printUp(out io.Writer, stack *emulator.Stack, took time.Duration, o upOptions) {
	fmt.Fprintf(out, "Drydock is up, after %.1f s.\n\n", took.Seconds())
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	api := stack.URL("uploads") // none where --jobs has no uploads API
	if api != "" {
		fmt.Fprintf(table, "  page\t%s/\tdrop photographs here\n", api)
		fmt.Fprintf(table, "  API\t%s/docs\tits documentation\n", api)
	}
	fmt.Fprintf(table, "  objects\t%s/\tS3, bucket %s; keys in %s\n", stack.S3URL(), emulator.Bucket, relative(stack.KeysFile()))
	if alerts := stack.URL("alerts"); alerts != "" {
		fmt.Fprintf(table, "  alerts\t%s/\tset alerts on prices; their API is at /docs\n", alerts)
	}
	fmt.Fprintf(table, "  inbox\t%s/\tthe mail that is sent to %s\n", stack.Mail.URL(), stack.Mail.SMTPURL())
	prices := "made-up prices"
	if len(o.market.CSV) > 0 {
		prices = "the prices in " + strings.Join(o.market.CSV, ", ")
	}
	fmt.Fprintf(table, "  market\t%s/v1/quotes\ta feed of %s\n", stack.Market.URL(), prices)
	fmt.Fprintf(table, "  events\t%s\tNATS with JetStream\n", stack.NATSURL())
	fmt.Fprintf(table, "  consul\t%s\tfor CONSUL_HTTP_ADDR; its DNS is at %s\n", stack.Consul.URL("dc1"), stack.Consul.DNS("dc1"))
	fmt.Fprintf(table, "  nomad\t%s\tfor NOMAD_ADDR: nomad status, nomad alloc logs, …\n", stack.NomadURL())
	for _, allocation := range stack.Allocations() {
		if allocation.Running() {
			address := "no port http"
			if port, ok := allocation.Ports["http"]; ok {
				address = "http://" + port
			}
			fmt.Fprintf(table, "  %s\t%s\tlogs in %s\n", allocation.Name, address, relative(filepath.Join(allocation.Dir, "alloc", "logs")))
		}
	}
	table.Flush()
	fmt.Fprintln(out)
	printDemos(out, demoAddresses{uploads: api, alerts: stack.URL("alerts"), market: stack.Market.URL(), inbox: stack.Mail.URL()})
	if o.ephemeral {
		fmt.Fprintln(out, "Ctrl-C stops everything; no state is kept.")
	} else {
		fmt.Fprintln(out, "Ctrl-C stops everything; the state is kept.")
	}
}

// demoAddresses are the URLs that the demos need; empty ones are not there.
type demoAddresses struct{ uploads, alerts, market, inbox string }

// printDemos tells how to try what runs, with the addresses that are not the usual ones.
func printDemos(out io.Writer, at demoAddresses) {
	unusual := func(flag, address, usual string) string {
		if address == usual {
			return ""
		}
		return " " + flag + " " + address
	}
	var demos []string
	if at.uploads != "" {
		demos = append(demos, called()+" demo"+unusual("--api", at.uploads, defaultAPI))
	}
	if at.alerts != "" {
		demos = append(demos, called()+" demo alerts"+unusual("--api", at.alerts, defaultAlertsAPI)+
			unusual("--market", at.market, defaultMarket)+unusual("--inbox", at.inbox, defaultInbox))
	}
	if len(demos) > 0 {
		fmt.Fprintf(out, "Try in another terminal:\n  %s\n\n", strings.Join(demos, "\n  "))
	}
}

// called is what to type for this program: its name alone where that finds it.
func called() string {
	const name = "drydock"
	self, err := os.Executable()
	if err != nil {
		return name
	}
	if found, err := exec.LookPath(name); err == nil && found == self {
		return name
	}
	return relative(self)
}

// jobFolder is the folder of --jobs.
func jobFolder(dir string) (fs.FS, error) {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, errors.New("there is no such folder")
	}
	files := os.DirFS(dir)
	found, err := fs.Glob(files, "*.nomad.hcl")
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, errors.New("there is no job file *.nomad.hcl in it")
	}
	return files, nil
}

// relative shortens a path below the working folder.
func relative(path string) string {
	if here, err := os.Getwd(); err == nil {
		if short, err := filepath.Rel(here, path); err == nil && filepath.IsLocal(short) {
			return short
		}
	}
	return path
}
