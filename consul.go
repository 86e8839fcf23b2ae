//go:build !image

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/drydock/drydock/emulator/consul"
	"github.com/drydock/drydock/emulator/consul/config"
	"github.com/drydock/drydock/emulator/logs"
)

func consulCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "consul",
		GroupID: groupPeople,
		Short:   "An emulated Consul agent alone, for every program that speaks to one",
		Long: `An emulated Consul agent alone, with the command line and the configuration files
of the real one. The official consul program works with it: consul members, consul kv, …`,
		Example: `  drydock consul agent -dev
  drydock consul agent -dev -http-port=0
  drydock consul agent -dev -datacenter dc1 -datacenter dc2
  drydock consul agent -config-file consul.hcl -data-dir /var/lib/consul`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(consulAgentCommand(), consulVersionCommand())
	return cmd
}

func consulAgentCommand() *cobra.Command {
	return &cobra.Command{
		Use:                "agent [options]",
		Short:              "Start an agent, and stay in the foreground",
		DisableFlagParsing: true, // they have one dash, as Consul's have
		RunE: func(cmd *cobra.Command, args []string) error {
			err := consulAgent(cmd.Context(), args, cmd.OutOrStdout())
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

// consulAgent runs an agent until the context ends.
func consulAgent(ctx context.Context, args []string, stdout io.Writer) error {
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
	running, err := consul.Start(ctx, c.Options)
	if err != nil {
		return fmt.Errorf("start the agent: %w", err)
	}
	if err := keepPID(c.PIDFile); err != nil {
		return errors.Join(err, running.Close())
	}
	consulBanner(stdout, c, running)
	if len(c.Unused) > 0 {
		log.Warn("settings that have no meaning for an emulated agent are ignored", "settings", strings.Join(c.Unused, ","))
	}
	log.Info("Consul agent running!")
	waitForStop(ctx, running, log)
	log.Info("Gracefully shutting down agent...")
	if err := running.Close(); err != nil {
		return fmt.Errorf("stop the agent: %w", err)
	}
	if c.PIDFile != "" {
		return os.Remove(c.PIDFile)
	}
	return nil
}

// waitForStop returns when the agent is to stop; at each SIGHUP it reloads.
func waitForStop(ctx context.Context, running *consul.Consul, log *slog.Logger) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	for {
		select {
		case <-ctx.Done():
			return
		case <-running.Left():
			return
		case <-hangups:
			log.Info("Caught", "signal", "hangup")
			if err := running.Reload(); err != nil {
				log.Error("Reload config failed", "error", err)
			}
		}
	}
}

func keepPID(file string) error {
	if file == "" {
		return nil
	}
	if err := os.WriteFile(file, fmt.Appendf(nil, "%d", os.Getpid()), 0o644); err != nil {
		return fmt.Errorf("write the pid file: %w", err)
	}
	return nil
}

func consulBanner(out io.Writer, c *config.Config, running *consul.Consul) {
	fmt.Fprintln(out, "==> Starting Consul agent...")
	bannerLine(out, "Version", consul.Version+", emulated by Drydock")
	for _, d := range c.Options.Datacenters {
		bannerLine(out, "Datacenter", d.Name)
		bannerLine(out, "Node name", d.Agents[0].Node)
		bannerLine(out, "HTTP API", running.URL(d.Name))
		bannerLine(out, "DNS", running.DNS(d.Name))
	}
	bannerLine(out, "State", c.Options.Dir)
	fmt.Fprint(out, "\n==> Log data will now stream in as it occurs:\n\n")
}

func consulVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:                "version [-format=json]",
		Short:              "Print the version of Consul whose behaviour this is",
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			flags := flag.NewFlagSet("consul version", flag.ContinueOnError)
			flags.SetOutput(cmd.ErrOrStderr())
			format := flags.String("format", "pretty", "Output format {pretty|json}")
			if err := flags.Parse(args); err != nil {
				return errSaid
			}
			return consulVersion(cmd.OutOrStdout(), *format)
		},
	}
}

// consulVersion prints the version in the form of the real program.
func consulVersion(out io.Writer, format string) error {
	switch format {
	case "pretty":
		_, err := fmt.Fprintf(out, `Consul v%s
Build Date %s
Protocol 2 spoken by default, understands 2 to 3 (agent will automatically use protocol >2 when speaking to compatible agents)

`, consul.Version, consul.BuildDate)
		return err
	case "json":
		type protocols struct{ Default, Min, Max int }
		version := struct {
			Version, Revision, Prerelease, BuildDate string
			RPC                                      protocols
		}{Version: consul.Version, BuildDate: consul.BuildDate, RPC: protocols{2, 2, 3}}
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "   ")
		return encoder.Encode(version)
	}
	return fmt.Errorf("consul version: -format=%s: it takes pretty or json", format)
}
