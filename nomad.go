//go:build !image

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"github.com/drydock/drydock/emulator/logs"
	"github.com/drydock/drydock/emulator/nomad"
	"github.com/drydock/drydock/emulator/nomad/config"
)

func nomadCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "nomad",
		GroupID: groupPeople,
		Short:   "An emulated Nomad agent alone, for every program that speaks to one",
		Long: `An emulated Nomad agent alone, with the command line and the configuration files
of the real one. The official nomad program works with it: nomad job run, nomad status, …`,
		Example: `  drydock nomad agent -dev
  drydock nomad agent -dev -topology zones.hcl
  drydock nomad agent -config nomad.hcl -data-dir /var/lib/nomad`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(nomadAgentCommand(), nomadVersionCommand())
	return cmd
}

func nomadAgentCommand() *cobra.Command {
	return &cobra.Command{
		Use:                "agent [options]",
		Short:              "Start an agent, and stay in the foreground",
		DisableFlagParsing: true, // they have one dash, as Nomad's have
		RunE: func(cmd *cobra.Command, args []string) error {
			err := nomadAgent(cmd.Context(), args, cmd.OutOrStdout())
			if errors.Is(err, flag.ErrHelp) {
				config.Usage(cmd.OutOrStdout())
				return nil
			}
			if err != nil {
				fmt.Fprintf(cmd.ErrOrStderr(), "==> %s\n", strings.TrimSpace(err.Error()))
				return errSaid
			}
			return nil
		},
	}
}

// nomadAgent runs an agent until the context ends.
func nomadAgent(ctx context.Context, args []string, stdout io.Writer) error {
	c, err := config.Load(args)
	if err != nil {
		return err
	}
	out, closeLog, err := agentLog(c.LogFile, stdout)
	if err != nil {
		return err
	}
	defer closeLog()
	log := slog.New(logs.NewHandler(out, c.LogLevel, c.LogJSON))
	c.Options.Logger = log
	running, err := nomad.Start(ctx, c.Options)
	if err != nil {
		return fmt.Errorf("start the agent: %w", err)
	}
	nomadBanner(stdout, c, running)
	if len(c.Unused) > 0 {
		log.Warn("settings that have no meaning for an emulated agent are ignored", "settings", strings.Join(c.Unused, ","))
	}
	<-ctx.Done()
	log.Info("Gracefully shutting down agent...")
	if err := running.Close(); err != nil {
		return fmt.Errorf("stop the agent: %w", err)
	}
	return nil
}

func nomadBanner(out io.Writer, c *config.Config, running *nomad.Nomad) {
	fmt.Fprintln(out, "==> Starting Nomad agent...")
	bannerLine(out, "Version", nomad.Version+", emulated by Drydock")
	for _, r := range c.Options.Regions {
		bannerLine(out, "Region", fmt.Sprintf("%s (DC: %s, nodes: %d)", r.Name, r.Datacenter, len(r.Nodes)))
		bannerLine(out, "HTTP API", running.URL(r.Name))
	}
	bannerLine(out, "State", c.Options.Dir)
	fmt.Fprint(out, "\n==> Nomad agent started! Log data will stream in below:\n\n")
}

func nomadVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:                "version",
		Short:              "Print the version of Nomad whose behaviour this is",
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "Nomad v%s\nEmulated by Drydock\n", nomad.Version)
			return err
		},
	}
}
