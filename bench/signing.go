package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/drydock/drydock/emulator"
)

const (
	signers      = 16              // connections that ask for a signature again and again
	signingWarm  = time.Second     // before it counts
	signingRound = 3 * time.Second // of each round
)

// signing loads `drydock uploads` on one core with requests to sign an upload.
func signing(ctx context.Context, b *bench) (_ []Result, err error) {
	b.say("starting the uploads API on one core")
	starting, cancel := context.WithTimeout(ctx, startWait)
	defer cancel()
	stack, err := emulator.Start(starting, emulator.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stack.Close()) }()
	secret, err := secretOf(stack, "uploads")
	if err != nil {
		return nil, err
	}
	log := &addressLog{}
	api, err := startServer(ctx, log, []string{
		"GOMAXPROCS=1",
		"DRYDOCK_LISTEN=127.0.0.1:0",
		"DRYDOCK_BUS=" + stack.NATSURL(),
		"DRYDOCK_OBJECTS=s3+" + stack.S3URL() + "/" + emulator.Bucket,
		"AWS_ACCESS_KEY_ID=uploads",
		"AWS_SECRET_ACCESS_KEY=" + secret,
	}, b.cached("drydock"), "uploads")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, api.Close()) }()
	if err := api.await(ctx, func() bool { return log.address() != "" }); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, log)
	}

	if _, err := sign(ctx, log.address(), signingWarm); err != nil {
		return nil, err
	}
	var speeds, slowest []float64
	for round := range b.rounds {
		took, err := sign(ctx, log.address(), signingRound)
		if err != nil {
			return nil, err
		}
		speeds = append(speeds, float64(len(took))/signingRound.Seconds())
		slowest = append(slowest, percentile(took, 99))
		b.say("round %d of %d: signing   %5.0f uploads/s, p99 %.2f ms", round+1, b.rounds, speeds[round], slowest[round])
	}
	name := fmt.Sprintf("signing: on one core, for %d clients", signers)
	return []Result{
		result(name, "uploads/s", speeds).atLeast(5000),
		result(name+", p99", "ms", slowest).below(10),
	}, nil
}

// secretOf reads the secret of one of the stack's access keys.
func secretOf(stack *emulator.Stack, key string) (string, error) {
	data, err := os.ReadFile(stack.KeysFile())
	if err != nil {
		return "", err
	}
	keys := map[string]string{}
	if err := json.Unmarshal(data, &keys); err != nil {
		return "", err
	}
	return keys[key], nil
}

// sign asks for signatures for so long and returns how long each took.
func sign(ctx context.Context, address string, howLong time.Duration) ([]time.Duration, error) {
	const body = `{"filename":"harbour.jpg","content_type":"image/jpeg","size":2483201}`
	message := []byte(fmt.Sprintf("POST /v1/uploads HTTP/1.1\r\nHost: api\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
	end := time.Now().Add(howLong)
	group, ctx := errgroup.WithContext(ctx)
	took := make([][]time.Duration, signers)
	for i := range signers {
		group.Go(func() (err error) {
			connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
			if err != nil {
				return err
			}
			defer connection.Close()
			defer context.AfterFunc(ctx, func() { connection.Close() })()
			answers := bufio.NewReader(connection)
			for began := time.Now(); began.Before(end); began = time.Now() {
				if err := signOne(connection, answers, message); err != nil {
					return err
				}
				took[i] = append(took[i], time.Since(began))
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return slices.Concat(took...), nil
}

// signOne goes without net/http's client, which would cost the core that the
// server does not have as much as the server.
func signOne(to io.Writer, answers *bufio.Reader, message []byte) error {
	if _, err := to.Write(message); err != nil {
		return err
	}
	answer, err := http.ReadResponse(answers, nil)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusCreated {
		return fmt.Errorf("the uploads API answered %s", answer.Status)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}

// addressLog reads from a role's log where it listens, and keeps the rest for
// the case that it fails.
type addressLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (l *addressLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String is all that was logged.
func (l *addressLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// address is empty until the role listens.
func (l *addressLog) address() string {
	for line := range strings.Lines(l.String()) {
		var entry struct{ Msg, Address string }
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "started" {
			return entry.Address
		}
	}
	return ""
}
