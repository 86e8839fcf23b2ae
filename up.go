package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/drydock/drydock/emulator"
	"github.com/drydock/drydock/jobs"
)

// startWait bounds the start of the stack; a failing role says why well before.
const startWait = time.Minute

// upOptions are the flags of drydock up.
type upOptions struct {
	dir                        string
	ephemeral                  bool
	httpPort, s3Port, natsPort int
	jobs                       string
	verbose                    bool
}

func upCommand() *cobra.Command {
	var o upOptions
	cmd := &cobra.Command{
		Use:     "up",
		GroupID: groupPeople,
		Short:   "Start the offline stack and every role, and stay in the foreground",
		Long: `Start the offline stack and every role: a real nats-server, an S3 endpoint, and a
scheduler that runs the job files, the same ones that a Nomad cluster runs.
It stays in the foreground; Ctrl-C stops everything and keeps the state.`,
		Example: `  drydock up
  drydock up --ephemeral --http-port 0     a throw-away stack on a free port
  drydock up --jobs ./jobs --verbose       your own job files, and what their tasks print`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return up(cmd.Context(), o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.dir, "dir", ".drydock", "folder that keeps the state over restarts")
	flags.BoolVar(&o.ephemeral, "ephemeral", false, "keep no state: use a temporary folder instead of --dir")
	flags.IntVar(&o.httpPort, "http-port", 8080, "port of the page and the API; 0 picks a free one")
	flags.IntVar(&o.s3Port, "s3-port", 9000, "port of the object store; 0 picks a free one")
	flags.IntVar(&o.natsPort, "nats-port", 4222, "port of the event bus; 0 picks a free one")
	flags.StringVar(&o.jobs, "jobs", "", "folder with the job files *.nomad.hcl to run (default: those built in)")
	flags.BoolVarP(&o.verbose, "verbose", "v", false, "show what the tasks print")
	return cmd
}

// portFlags are the flags that move a part of the stack.
var portFlags = map[string]string{"API": "--http-port", "object store": "--s3-port", "event bus": "--nats-port"}

// checkPorts refuses what cannot be a port, and two parts on one.
func (o upOptions) checkPorts() error {
	flags := map[int]string{}
	for _, p := range []struct {
		part string
		port int
	}{{"API", o.httpPort}, {"object store", o.s3Port}, {"event bus", o.natsPort}} {
		flag := portFlags[p.part]
		if p.port < 0 || p.port > 65535 {
			return fmt.Errorf("%s %d is not a port: it takes a number from 0 to 65535", flag, p.port)
		}
		if other := flags[p.port]; other != "" && p.port != 0 {
			return fmt.Errorf("%s and %s are both %d: choose two different ones", other, flag, p.port)
		}
		flags[p.port] = flag
	}
	return nil
}

// stack says what stack the flags ask for.
func (o upOptions) stack(stderr io.Writer) (emulator.Options, error) {
	options := emulator.Options{
		Dir: o.dir, HTTPPort: o.httpPort, S3Port: o.s3Port, NATSPort: o.natsPort,
		Jobs:   jobs.Files,
		Logger: slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	if err := o.checkPorts(); err != nil {
		return options, err
	}
	if o.ephemeral {
		options.Dir = ""
	}
	if o.jobs != "" {
		var err error
		if options.Jobs, err = jobFolder(o.jobs); err != nil {
			return options, fmt.Errorf("--jobs %s: %w", o.jobs, err)
		}
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
	case errors.As(err, &taken):
		return fmt.Errorf("%w: stop it, or choose another port with %s", taken, portFlags[taken.Part])
	case errors.As(err, &used):
		return fmt.Errorf("%w: stop it, or choose another folder with --dir", used)
	default:
		return err
	}
	printUp(stdout, stack, time.Since(began), o.ephemeral)
	<-ctx.Done()
	fmt.Fprintln(stdout, "\nStopping; the tasks finish what they hold. Ctrl-C again stops at once.")
	if err := stack.Close(); err != nil {
		return fmt.Errorf("stop the offline stack: %w", err)
	}
	fmt.Fprintln(stdout, "Stopped.")
	return nil
}

func printUp(out io.Writer, stack *emulator.Stack, took time.Duration, ephemeral bool) {
	fmt.Fprintf(out, "Drydock is up, after %.1f s.\n\n", took.Seconds())
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	api := stack.APIURL() // none where --jobs has no uploads API
	if api != "" {
		fmt.Fprintf(table, "  page\t%s/\tdrop photographs here\n", api)
		fmt.Fprintf(table, "  API\t%s/docs\tits documentation\n", api)
	}
	fmt.Fprintf(table, "  objects\t%s/\tS3, bucket %s; keys in %s\n", stack.S3URL(), emulator.Bucket, relative(stack.KeysFile()))
	fmt.Fprintf(table, "  events\t%s\tNATS with JetStream\n", stack.NATSURL())
	for _, allocation := range stack.Allocations() {
		if allocation.Status == "running" {
			address := "no port http"
			if port, ok := allocation.Ports["http"]; ok {
				address = "http://" + port
			}
			fmt.Fprintf(table, "  %s\t%s\tlogs in %s\n", allocation.Name, address, relative(filepath.Join(allocation.Dir, "alloc", "logs")))
		}
	}
	table.Flush()
	fmt.Fprintln(out)
	switch api {
	case "":
	case defaultAPI:
		fmt.Fprint(out, "Try `drydock demo` in another terminal. ")
	default:
		fmt.Fprintf(out, "Try `drydock demo --api %s` in another terminal. ", api)
	}
	if ephemeral {
		fmt.Fprintln(out, "Ctrl-C stops everything; no state is kept.")
	} else {
		fmt.Fprintln(out, "Ctrl-C stops everything; the state is kept.")
	}
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
