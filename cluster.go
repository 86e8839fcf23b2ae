//go:build !image

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/drydock/drydock/jobs"
	"github.com/drydock/drydock/operate/cluster"
)

func clusterCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "cluster",
		GroupID: groupPeople,
		Short:   "A cluster of three zones on this machine, of the real programs; zones can fail",
		Long: `A cluster of three zones on this machine, each a network namespace with a Consul
server, a Nomad server and a Nomad client of the real programs, that runs the job files.
It needs Linux, root, and the programs on the PATH: scripts/cluster sees to those.`,
		Example: `  scripts/cluster up
  scripts/cluster stop b     zone b fails: what ran there runs in the others
  scripts/cluster start b
  scripts/cluster down`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(clusterUpCommand(), clusterDownCommand(), clusterStatusCommand(), clusterStopCommand(), clusterStartCommand())
	return cmd
}

func clusterUpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "up",
		Short: "Make the cluster, deploy the jobs, and return when all are healthy",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return clusterUp(cmd.Context(), cmd.OutOrStdout())
		},
	}
}

func clusterUp(ctx context.Context, out io.Writer) error {
	began := time.Now()
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program's folder: %w", err)
	}
	stack, err := cluster.Up(ctx, cluster.Options{
		Jobs: jobs.Files,
		Path: filepath.Dir(self) + string(os.PathListSeparator) + os.Getenv("PATH"),
		Out:  out, Progress: newDeployPrinter(out, false).event,
	})
	if err == context.Canceled { // and no more is wrong
		fmt.Fprintln(out, "Stopped before it was up; nothing is left of it.")
		return errSaid
	}
	if err != nil {
		return err
	}
	status, err := stack.Status(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "The cluster is up, after %.1f s.\n\n", time.Since(began).Seconds())
	printCluster(out, status)
	return nil
}

func clusterDownCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "down",
		Short: "Remove the cluster with its data, also one that is half made",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := cluster.Down(cmd.Context()); err != nil {
				return err
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "There is no cluster any more.")
			return err
		},
	}
}

func clusterStatusCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Tell where everything is",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			stack, err := cluster.Open()
			if err != nil {
				return err
			}
			status, err := stack.Status(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				encoder := json.NewEncoder(cmd.OutOrStdout())
				encoder.SetIndent("", "  ")
				return encoder.Encode(status)
			}
			printCluster(cmd.OutOrStdout(), status)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "for programs: the zones and their addresses, and the services'")
	return cmd
}

func clusterStopCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "stop ZONE",
		Short: "Have a zone fail: its link is cut and everything in it killed",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			stack, err := cluster.Open()
			if err != nil {
				return err
			}
			if err := stack.StopZone(cmd.Context(), args[0]); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "Zone %s has failed.\n", args[0])
			return err
		},
	}
}

func clusterStartCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "start ZONE",
		Short: "Bring a zone back, with its data",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			stack, err := cluster.Open()
			if err != nil {
				return err
			}
			if err := stack.StartZone(cmd.Context(), args[0]); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "Zone %s is back.\n", args[0])
			return err
		},
	}
}

// clusterPages are the services with something to look at in a browser, in the
// order in which they are told.
var clusterPages = []struct{ name, service, tells string }{
	{"page", "uploads", "drop photographs here"},
	{"alerts", "alerts", "set alerts on prices"},
	{"inbox", "inbox-page", "the mail that is sent"},
}

func printCluster(out io.Writer, status cluster.Status) {
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "  zone\tstate\tfor NOMAD_ADDR\tfor CONSUL_HTTP_ADDR\tenter it as root")
	for _, z := range status.Zones {
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\tip netns exec %s sh\n", z.Name, z.State, z.Nomad, z.Consul, z.Namespace)
	}
	table.Flush()
	fmt.Fprintln(out)
	for _, page := range clusterPages {
		for _, address := range status.Services[page.service] {
			fmt.Fprintf(table, "  %s\thttp://%s/\t%s\n", page.name, address, page.tells)
		}
	}
	table.Flush()
	printNames(out, status)
}

// printNames tells how a browser on the machine finds the object store, by the
// name that the page's links have.
func printNames(out io.Writer, status cluster.Status) {
	var servers []string
	for _, z := range status.Zones {
		if z.State == cluster.Running {
			servers = append(servers, z.Address)
		}
	}
	if len(servers) == 0 || len(status.Services["minio"]) == 0 {
		return
	}
	fmt.Fprint(out, "\nThe page sends pictures to minio.service.consul. For a browser here to find it:\n")
	if _, err := exec.LookPath("resolvectl"); err == nil {
		fmt.Fprintf(out, "  sudo resolvectl dns %s %s && sudo resolvectl domain %s '~consul'    until the cluster is down\n",
			status.Link, strings.Join(servers, " "), status.Link)
		return
	}
	fmt.Fprintf(out, "  chromium --host-resolver-rules='MAP minio.service.consul %s'\n", servers[0])
}
