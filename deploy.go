//go:build !image

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	consul "github.com/hashicorp/consul/api"
	"github.com/hashicorp/nomad/api"
	"github.com/spf13/cobra"

	"github.com/drydock/drydock/jobs"
	"github.com/drydock/drydock/operate/deploy"
)

// deployFlags are the flags of drydock deploy.
type deployFlags struct {
	jobs      string
	vars      []string // name=value or job.name=value
	items     []string // likewise
	itemsFile string
	addresses []string // part=host:port
	skip      []string
	detach    bool
	dryRun    bool
	json      bool
}

func deployCommand(getenv func(string) string) *cobra.Command {
	var f deployFlags
	cmd := &cobra.Command{
		Use:     "deploy [JOB...]",
		GroupID: groupPeople,
		Short:   "Have a Nomad cluster run the job files, and wait until all is healthy",
		Long: `Have a Nomad cluster run the job files: what they read of Nomad's variables is put
there first, with passwords and keys made where there are none, then the parts of
the platform are started, then the jobs that need them. Without a JOB, all of them.

What runs so already is left alone, what a variable holds is kept. NOMAD_ADDR,
NOMAD_TOKEN, NOMAD_NAMESPACE, NOMAD_REGION and NOMAD_CACERT mean what they mean to
the nomad program, and so does CONSUL_HTTP_ADDR to consul, which is asked why checks
fail if it is there. Passwords do not belong on a command line: give them in a file.`,
		Example: `  drydock deploy --address events=nats.service.consul:4222 --address objects=minio.service.consul:9000 \
      --address market=market.example --address mail=smtp.example:587 \
      --item public_url=https://alerts.example --item mail_from=alerts@example.com
  drydock deploy images --var count=4                    another version of one job
  drydock deploy --dry-run                               what would change
  drydock deploy --skip nats,minio --items items.json    the bus and the objects are elsewhere:
                                                         {"uploads.bus": "nats://…", "objects": "s3+http://…", …}
  pass show drydock | drydock deploy --items -           the same from a program`,
		ValidArgsFunction: f.completeJobs,
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := f.options(args, getenv, cmd.InOrStdin())
			if err != nil {
				return err
			}
			defer o.Nomad.Close()
			if f.dryRun {
				return f.plan(cmd, o)
			}
			return f.deploy(cmd, o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.jobs, "jobs", "", "folder with the job files *.nomad.hcl (default: those built in)")
	flags.StringArrayVar(&f.vars, "var", nil, "value of an HCL variable, `name=value`, or job.name=value for one job")
	flags.StringArrayVar(&f.items, "item", nil, "what jobs read of their Nomad variables, `name=value`, or job.name=value for one job")
	flags.StringVar(&f.itemsFile, "items", "", "`file` with a JSON object of items, as for passwords; - is the standard input")
	flags.StringArrayVar(&f.addresses, "address", nil, "where jobs reach a part of the platform, `part=host:port`: events, objects, market, mail")
	flags.StringSliceVar(&f.skip, "skip", nil, "jobs to leave out, as those of parts that are elsewhere")
	flags.BoolVar(&f.detach, "detach", false, "do not wait for the jobs, only for the parts that they need")
	flags.BoolVar(&f.dryRun, "dry-run", false, "say what would change, and change nothing")
	flags.BoolVar(&f.json, "json", false, "print JSON, for programs: an object per step")
	complete := cobra.FixedCompletions([]cobra.Completion{"events=", "objects=", "market=", "mail="}, cobra.ShellCompDirectiveNoSpace|cobra.ShellCompDirectiveNoFileComp)
	if err := errors.Join(cmd.RegisterFlagCompletionFunc("address", complete), cmd.RegisterFlagCompletionFunc("skip", f.completeJobs)); err != nil {
		panic(err) // there is no such flag
	}
	return cmd
}

// files are the job files.
func (f *deployFlags) files() (fs.FS, error) {
	if f.jobs == "" {
		return jobs.Files, nil
	}
	files, err := jobFolder(f.jobs)
	if err != nil {
		return nil, fmt.Errorf("--jobs %s: %w", f.jobs, err)
	}
	return files, nil
}

// completeJobs offers the names of jobs to the shell.
func (f *deployFlags) completeJobs(_ *cobra.Command, given []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	files, err := f.files()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	names, err := jobs.Names(files)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return slices.DeleteFunc(names, func(name string) bool { return slices.Contains(given, name) }), cobra.ShellCompDirectiveNoFileComp
}

// options say what the flags ask for. The caller closes the client.
func (f *deployFlags) options(names []string, getenv func(string) string, stdin io.Reader) (o deploy.Options, err error) {
	o.Detach = f.detach
	if o.Jobs, err = f.files(); err != nil {
		return o, err
	}
	if o.Names, err = f.names(o.Jobs, names); err != nil {
		return o, err
	}
	if o.Variables, err = pairs("--var", "count=2", f.vars); err != nil {
		return o, err
	}
	if o.Addresses, err = pairs("--address", "events=nats.service.consul:4222", f.addresses); err != nil {
		return o, err
	}
	if o.Items, err = f.readItems(stdin); err != nil {
		return o, err
	}
	if o.Nomad, err = clusterClient(getenv); err != nil {
		return o, err
	}
	o.Consul = consulClient(getenv)
	return o, nil
}

// names are the jobs to deploy.
func (f *deployFlags) names(files fs.FS, given []string) ([]string, error) {
	all, err := jobs.Names(files)
	if err != nil {
		return nil, err
	}
	if len(given) == 0 {
		given = all
	}
	for _, name := range f.skip {
		if !slices.Contains(all, name) {
			return nil, fmt.Errorf("--skip %s: there is no such job: there are %s", name, strings.Join(all, ", "))
		}
	}
	left := slices.DeleteFunc(slices.Clone(given), func(name string) bool { return slices.Contains(f.skip, name) })
	if len(left) == 0 {
		return nil, errors.New("--skip leaves no job to deploy")
	}
	return left, nil
}

// pairs reads name=value flags.
func pairs(flag, example string, given []string) (map[string]string, error) {
	values := map[string]string{}
	for _, one := range given {
		name, value, found := strings.Cut(one, "=")
		if !found || name == "" {
			return nil, fmt.Errorf("%s %s gives no value: it takes one as %s", flag, name, example)
		}
		values[name] = value
	}
	return values, nil
}

// readItems are the items of the file, and those of the flags, which come before them.
func (f *deployFlags) readItems(stdin io.Reader) (map[string]string, error) {
	items := map[string]string{}
	if f.itemsFile != "" {
		from := stdin
		if f.itemsFile != "-" {
			file, err := os.Open(f.itemsFile)
			if err != nil {
				return nil, fmt.Errorf("--items: %w", err)
			}
			defer file.Close()
			from = file
		}
		if err := json.NewDecoder(from).Decode(&items); err != nil {
			return nil, fmt.Errorf(`--items %s is no JSON object of strings, as {"mail": "smtp://…"}`, f.itemsFile)
		}
	}
	given, err := pairs("--item", "mail_from=alerts@example.com", f.items)
	if err != nil {
		return nil, err
	}
	maps.Copy(items, given)
	return items, nil
}

// clusterClient is a client of the cluster that the environment names, which answers.
func clusterClient(getenv func(string) string) (*api.Client, error) {
	config := api.DefaultConfig()
	for name, setting := range map[string]*string{
		"NOMAD_ADDR": &config.Address, "NOMAD_TOKEN": &config.SecretID, "NOMAD_NAMESPACE": &config.Namespace, "NOMAD_REGION": &config.Region,
	} {
		if value := getenv(name); value != "" {
			*setting = value
		}
	}
	client, err := api.NewClient(config)
	if err == nil {
		_, err = client.Status().Leader()
	}
	if err != nil {
		return nil, fmt.Errorf("ask Nomad at %s, where NOMAD_ADDR says it is: %w", config.Address, err)
	}
	return client, nil
}

// consulClient is a client of the Consul that the environment names; nil if it
// does not answer.
func consulClient(getenv func(string) string) *consul.Client {
	config := consul.DefaultConfig()
	if address := getenv("CONSUL_HTTP_ADDR"); address != "" {
		config.Address = address
	}
	client, err := consul.NewClient(config)
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), completeWait)
	defer cancel()
	if _, err := client.Status().LeaderWithQueryOptions(new(consul.QueryOptions).WithContext(ctx)); err != nil {
		return nil
	}
	return client
}

// deploy deploys, and tells of it.
func (f *deployFlags) deploy(cmd *cobra.Command, o deploy.Options) error {
	began := time.Now()
	out := newDeployPrinter(cmd.OutOrStdout(), f.json)
	o.Progress = out.event
	err := deploy.Run(cmd.Context(), o)
	var missing *deploy.MissingItemsError
	switch {
	case err == nil:
		return out.done(time.Since(began), f.detach)
	case cmd.Context().Err() != nil:
		return fmt.Errorf("stopped waiting; Nomad goes on with what is under way:\n%w", err)
	case errors.As(err, &missing):
		return fmt.Errorf("nothing was deployed: %w", err)
	}
	return err
}

// plan prints what would be deployed.
func (f *deployFlags) plan(cmd *cobra.Command, o deploy.Options) error {
	changes, err := deploy.Plan(cmd.Context(), o)
	if err != nil {
		return err
	}
	if f.json {
		return printJSON(cmd.OutOrStdout(), changes)
	}
	return printPlan(cmd.OutOrStdout(), changes)
}
