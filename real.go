//go:build !image

package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/drydock/drydock/jobs"
	"github.com/drydock/drydock/operate/real"
)

// nomadAgentFile is the Nomad agent's configuration on a single real machine.
//
//go:embed nomad.hcl
var nomadAgentFile []byte

const defaultRealDir = ".drydock/real"

// realFlags are the flags of drydock real up.
type realFlags struct {
	dir       string
	ports     []string // name=port
	freePorts bool
	jobs      string
	driver    string
	vars      []string // name=value or job.name=value
}

func realCommand(getenv func(string) string) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "real",
		GroupID: groupPeople,
		Short:   "The real stack on this machine: Consul, Nomad, and everything else as its jobs",
		Example: `  drydock real up        start it, and return when all is healthy
  drydock real status    where it is, and how its jobs are
  drydock real down      stop it; its data is kept`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(realUpCommand(getenv), realDownCommand(), realStatusCommand())
	return cmd
}

func realUpCommand(getenv func(string) string) *cobra.Command {
	var f realFlags
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Start the real stack, and return when all is healthy",
		Long: `Start the real stack: the real Consul and Nomad, with the repository's nomad.hcl, then
NATS, MinIO, PostgreSQL and every role as Nomad jobs. It runs on after the command ends.

All programs have to be on the PATH: make real finds or builds them, and calls this.
Root is not needed; as root, tasks have their memory and processor limited, and the
driver exec is there as well, for programs that are in /usr/local/bin.`,
		Example: `  drydock real up
  drydock real up --free-ports --dir /tmp/other      another one beside it
  drydock real up --port uploads=80 --var images.count=2
  drydock real up --driver docker                    images instead of programs: make image`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.up(cmd.Context(), cmd.OutOrStdout(), getenv)
		},
	}
	flags := cmd.Flags()
	realDirFlag(cmd, &f.dir)
	flags.StringSliceVar(&f.ports, "port", nil, "listen on `name=port`; 0 picks a free one (default "+portList(real.UsualPorts())+")")
	flags.BoolVar(&f.freePorts, "free-ports", false, "free ports for all that --port does not name")
	flags.StringVar(&f.jobs, "jobs", "", "folder with the job files *.nomad.hcl to run (default: those built in)")
	flags.StringVar(&f.driver, "driver", "raw_exec", "what the roles run with: raw_exec, exec (needs root) or docker (needs its engine)")
	flags.StringArrayVar(&f.vars, "var", nil, "value of an HCL variable, `name=value`, or job.name=value for one job")
	complete(cmd, "driver", "raw_exec", "exec", "docker")
	var names []string
	for name := range real.UsualPorts() {
		names = append(names, name+"=")
	}
	complete(cmd, "port", names...)
	return cmd
}

func realDirFlag(cmd *cobra.Command, dir *string) {
	cmd.Flags().StringVar(dir, "dir", defaultRealDir, "folder of the stack: its configuration, logs and data")
}

// complete offers the values of a flag to the shell.
func complete(cmd *cobra.Command, flag string, values ...string) {
	slices.Sort(values)
	if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveNoSpace)); err != nil {
		panic(err) // there is no such flag
	}
}

// options say what stack the flags ask for.
func (f *realFlags) options(getenv func(string) string) (real.Options, error) {
	o := real.Options{Dir: f.dir, Ports: map[string]int{}, Jobs: jobs.Files, Agent: nomadAgentFile, Driver: f.driver}
	if !f.freePorts {
		o.Ports = real.UsualPorts()
	}
	given, err := pairs("--port", "uploads=8080", f.ports)
	if err != nil {
		return o, err
	}
	for name, number := range given {
		port, err := strconv.ParseUint(number, 10, 16)
		if err != nil {
			return o, fmt.Errorf("--port %s=%s is not a port: it takes a number from 0 to 65535", name, number)
		}
		o.Ports[name] = int(port)
	}
	if f.jobs != "" {
		if o.Jobs, err = jobFolder(f.jobs); err != nil {
			return o, fmt.Errorf("--jobs %s: %w", f.jobs, err)
		}
	}
	if o.Variables, err = pairs("--var", "images.count=2", f.vars); err != nil {
		return o, err
	}
	self, err := os.Executable()
	if err != nil {
		return o, fmt.Errorf("find this program's folder: %w", err)
	}
	o.Path = filepath.Dir(self) + string(filepath.ListSeparator) + getenv("PATH")
	return o, nil
}

// up starts the stack, and says where it is.
func (f *realFlags) up(ctx context.Context, out io.Writer, getenv func(string) string) error {
	began := time.Now()
	o, err := f.options(getenv)
	if err != nil {
		return err
	}
	o.Out = out
	stack, err := real.Up(ctx, o)
	var taken *real.PortTakenError
	var running *real.RunningError
	switch {
	case err == nil:
		printReal(out, stack, time.Since(began))
		return nil
	case errors.As(err, &taken):
		return fmt.Errorf("%w: stop it, or choose another port with --port %s=0, or for all with --free-ports", taken, taken.Name)
	case errors.As(err, &running):
		return fmt.Errorf("%w; %s stops it, and `%s real status` shows more", running, f.downCommand(), called())
	}
	return err
}

func (f *realFlags) downCommand() string {
	return "`" + called() + " real down" + realDirArgs(f.dir) + "`"
}

// realDirArgs is what to give a command for the stack, where that is not the usual one.
func realDirArgs(dir string) string {
	usual, err := filepath.Abs(defaultRealDir)
	if given, err2 := filepath.Abs(dir); err == nil && err2 == nil && usual == given {
		return ""
	}
	return " --dir " + dir
}

func printReal(out io.Writer, stack *real.Stack, took time.Duration) {
	fmt.Fprintf(out, "\nThe real stack is up, after %.1f s.\n\n", took.Seconds())
	printRealAddresses(out, stack)
	fmt.Fprintln(out)
	printDemos(out, demoAddresses{
		uploads: realURL(stack, real.PortPage), alerts: realURL(stack, real.PortAlerts),
		market: realURL(stack, real.PortMarket), inbox: realURL(stack, real.PortInbox),
	})
	fmt.Fprintf(out, "It runs on. To stop it, keeping its data:\n  %s real down%s\n", called(), realDirArgs(stack.Dir))
}

// realURL is where a port's HTTP is; empty if the stack has no such port.
func realURL(stack *real.Stack, port string) string {
	if address := stack.Address(port); address != "" {
		return "http://" + address
	}
	return ""
}

func printRealAddresses(out io.Writer, stack *real.Stack) {
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	defer table.Flush()
	for _, row := range []struct{ name, port, before, after, what string }{
		{"page", real.PortPage, "http://", "/", "drop photographs here"},
		{"API", real.PortPage, "http://", "/docs", "its documentation"},
		{"objects", real.PortObjects, "http://", "/", "MinIO, bucket uploads; keys in the Nomad variable nomad/jobs/minio"},
		{"alerts", real.PortAlerts, "http://", "/", "set alerts on prices; their API is at /docs"},
		{"inbox", real.PortInbox, "http://", "/", "the mail that is sent to smtp://" + stack.Address(real.PortMail)},
		{"market", real.PortMarket, "http://", "/v1/quotes", "a feed of made-up prices"},
		{"events", real.PortEvents, "nats://", "", "NATS with JetStream; users in nomad/jobs/nats"},
		{"database", real.PortDatabase, "postgres://postgres@", "/postgres", "PostgreSQL; its password is in nomad/jobs/postgres"},
		{"consul", real.PortConsul, "http://", "", "for CONSUL_HTTP_ADDR, and its page; its DNS is at " + stack.DNS},
		{"nomad", real.PortNomad, "http://", "", "for NOMAD_ADDR, and its page: nomad status, nomad alloc logs, …"},
	} {
		if address := stack.Address(row.port); address != "" {
			fmt.Fprintf(table, "  %s\t%s\t%s\n", row.name, row.before+address+row.after, row.what)
		}
	}
	fmt.Fprintf(table, "  logs\t%s\tof consul and nomad\n", relative(filepath.Join(stack.Dir, "logs")))
}

func realDownCommand() *cobra.Command {
	var dir string
	var purge bool
	cmd := &cobra.Command{
		Use:   "down",
		Short: "Stop the real stack; its data is kept",
		Long: `Stop the real stack: the tasks finish what they hold, then Nomad and Consul end. What
is left of a stack that was killed is ended as well. The data is kept for the next
drydock real up, unless --purge removes it. Ctrl-C has it wait for nobody.`,
		Example: `  drydock real down
  drydock real down --purge    and remove its data`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return realDown(cmd.Context(), cmd.OutOrStdout(), dir, purge)
		},
	}
	realDirFlag(cmd, &dir)
	cmd.Flags().BoolVar(&purge, "purge", false, "remove its data as well")
	return cmd
}

func realDown(ctx context.Context, out io.Writer, dir string, purge bool) error {
	stack, err := real.Open(dir)
	var none *real.NotUpError
	switch {
	case errors.As(err, &none):
		fmt.Fprintf(out, "There is nothing to stop: %s.\n", none)
	case err != nil:
		return err
	default:
		fmt.Fprintln(out, "Stopping; the tasks finish what they hold.")
		if err := stack.Down(ctx); err != nil {
			return err
		}
		fmt.Fprintln(out, "Stopped.")
	}
	if !purge {
		return nil
	}
	if err := real.Purge(dir); err != nil {
		return err
	}
	fmt.Fprintln(out, "Its data is removed.")
	return nil
}

func realStatusCommand() *cobra.Command {
	var dir string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say where the real stack is, and how its jobs are",
		Example: `  drydock real status
  drydock real status --json | jq -r .nomad`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			stack, err := real.Open(dir)
			if err != nil {
				return fmt.Errorf("%w: `%s real up%s` starts one", err, called(), realDirArgs(dir))
			}
			return realStatus(cmd.Context(), cmd.OutOrStdout(), stack, asJSON)
		},
	}
	realDirFlag(cmd, &dir)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, for programs")
	return cmd
}

func realStatus(ctx context.Context, out io.Writer, stack *real.Stack, asJSON bool) error {
	status, err := stack.Status(ctx)
	if err != nil {
		return fmt.Errorf("%w; `%s real down%s` ends what is left", err, called(), realDirArgs(stack.Dir))
	}
	if asJSON {
		return printJSON(out, status)
	}
	printRealAddresses(out, stack)
	fmt.Fprintln(out)
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "  JOB\tPART\tSTATUS\tRUNNING\tHEALTHY")
	for _, job := range status.Jobs {
		fmt.Fprintf(table, "  %s\t%s\t%s\t%d of %d\t%d\n", job.Name, strings.TrimSpace(job.Part), job.Status, job.Running, job.Wanted, job.Healthy)
	}
	return table.Flush()
}

// portList shows ports as --port takes them.
func portList(ports map[string]int) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(ports)) {
		list = append(list, fmt.Sprintf("%s=%d", name, ports[name]))
	}
	return strings.Join(list, ",")
}
