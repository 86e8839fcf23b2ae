package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/drydock/drydock/emulator"
	"github.com/drydock/drydock/jobs"
)

const (
	startPoll = 500 * time.Microsecond // between two looks whether a role is ready
	startGoal = 50                     // ms
	rootKey   = "drydock"              // of the stack's object store
)

// starting is a program of a role, or of none, and how long its starts took.
type starting struct {
	name    string
	command []string
	rounds  []float64 // ms
}

// startSuite measures the cold start of every role: from its being executed
// until it is ready, with everything it depends on there; and of the two
// programs when they do nothing but say their version.
func startSuite(ctx context.Context, b *bench) (results []Result, err error) {
	programs, roles, err := b.starters()
	if err != nil {
		return nil, err
	}
	b.say("starting the offline stack, without jobs")
	opening, cancel := context.WithTimeout(ctx, startWait)
	defer cancel()
	stack, err := emulator.Start(opening, emulator.Options{
		Dir:    filepath.Join(b.dir, "stack"),
		Logger: slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stack.Close()) }()
	environment, err := roleEnvironment(stack)
	if err != nil {
		return nil, err
	}

	for round := range b.rounds {
		for _, program := range programs {
			if err := program.runOnce(ctx); err != nil {
				return nil, err
			}
		}
		for _, role := range roles {
			if err := role.startOnce(ctx, environment); err != nil {
				return nil, fmt.Errorf("role %s: %w", role.name, err)
			}
		}
		b.say("round %d of %d: %s %.1f ms, %s %.1f ms", round+1, b.rounds,
			programs[0].name, programs[0].rounds[round], roles[0].name, roles[0].rounds[round])
	}
	for _, program := range programs {
		results = append(results, result(program.name+" --version, from start to end", "ms", program.rounds))
	}
	for _, role := range roles {
		results = append(results, result("role "+role.name+", from start to ready", "ms", role.rounds).below(startGoal))
	}
	return results, nil
}

// starters are the two programs, as make builds them, and the roles, which are
// the jobs that are no part of the platform.
func (b *bench) starters() (programs, roles []*starting, err error) {
	drydock, images := filepath.Join(b.root, "bin", "drydock"), filepath.Join(b.root, "bin", "drydock-images")
	programs = []*starting{{name: "drydock", command: []string{drydock}}, {name: "drydock-images", command: []string{images}}}
	names, err := jobs.Names(jobs.Files)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range names {
		job, err := jobs.Read(jobs.Files, name, nil)
		if err != nil {
			return nil, nil, err
		}
		switch {
		case job.Part() != "":
		case name == "images":
			roles = append(roles, &starting{name: name, command: []string{images}})
		default:
			roles = append(roles, &starting{name: name, command: []string{drydock, name}})
		}
	}
	return programs, roles, nil
}

// roleEnvironment is what any role needs to know of the stack.
func roleEnvironment(stack *emulator.Stack) ([]string, error) {
	content, err := os.ReadFile(stack.KeysFile())
	if err != nil {
		return nil, err
	}
	var keys map[string]string
	if err := json.Unmarshal(content, &keys); err != nil {
		return nil, err
	}
	return []string{
		"DRYDOCK_BUS=" + stack.NATSURL(),
		"DRYDOCK_OBJECTS=s3+" + stack.S3URL() + "/" + emulator.Bucket,
		"AWS_ACCESS_KEY_ID=" + rootKey,
		"AWS_SECRET_ACCESS_KEY=" + keys[rootKey],
		"DRYDOCK_MARKET=" + stack.Market.URL(),
		"DRYDOCK_MAIL=" + stack.Mail.SMTPURL(),
		"DRYDOCK_MAIL_FROM=bench@drydock.example",
		"DRYDOCK_PUBLIC_URL=http://drydock.example",
		"DRYDOCK_UNSUBSCRIBE_KEY=0123456789abcdef0123456789abcdef",
	}, nil
}

// runOnce measures a program that says its version and ends.
func (s *starting) runOnce(ctx context.Context) error {
	began := time.Now()
	_, err := output(exec.CommandContext(ctx, s.command[0], "--version"))
	s.rounds = append(s.rounds, milliseconds(time.Since(began)))
	return err
}

// startOnce measures one start of a role, and stops it again.
func (s *starting) startOnce(ctx context.Context, environment []string) (err error) {
	port, err := freePort()
	if err != nil {
		return err
	}
	address := net.JoinHostPort("127.0.0.1", port)
	client := http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	began := time.Now()
	running, err := startServer(ctx, nil, append(environment[:len(environment):len(environment)], "DRYDOCK_LISTEN="+address), s.command[0], s.command[1:]...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, running.Close()) }()
	if err := running.awaitEvery(ctx, startPoll, func() bool { return isReady(&client, address) }); err != nil {
		return err
	}
	s.rounds = append(s.rounds, milliseconds(time.Since(began)))
	return nil
}

func isReady(client *http.Client, address string) bool {
	answer, err := client.Get("http://" + address + "/health/ready")
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}
