package main

import (
	"context"
	"errors"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"
)

// commandWait bounds one command; those that never end by themselves are not compared.
const commandWait = 10 * time.Second

// run runs a command and returns its effect without what differs from run to run.
func (s *shell) run(ctx context.Context, c command) (effect, error) {
	ctx, cancel := context.WithTimeout(ctx, commandWait)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", c.line)
	cmd.Dir, cmd.Env, cmd.WaitDelay = s.dir, s.environment, time.Second
	output, err := cmd.CombinedOutput()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		return effect{}, err
	}
	return effect{cmd.ProcessState.ExitCode(), masked(string(output), c)}, nil
}

// masks are what differs between two programs that do the same.
var masks = []struct {
	pattern *regexp.Regexp
	mask    string
}{
	{regexp.MustCompile(`-----BEGIN (\w+ )+?PRIVATE KEY-----.*?-----END (\w+ )+?PRIVATE KEY-----`), "<key>"},
	{regexp.MustCompile(`-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----`), "<certificate>"},
	{regexp.MustCompile(`\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`), "<uuid>"},
	{regexp.MustCompile(`\b([0-9a-f]{2}:){10,}[0-9a-f]{2}\b`), "<fingerprint>"},
	{regexp.MustCompile(`\b[0-9a-f]{64,}\b`), "<hash>"},
	{regexp.MustCompile(`("Hash": )".*"`), "$1<hash>"},
	{regexp.MustCompile(`\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| ?[+-]\d\d:?\d\d( \w+)?)?`), "<time>"},
	{regexp.MustCompile(`\w+day, \d\d-\w{3}-[2-9]\d \d\d:\d\d:\d\d UTC`), "<time>"}, // the zero time stays
	{regexp.MustCompile(`\b[0-9a-f]{8}\b`), "<id>"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "127.0.0.1:<port>"},
	{regexp.MustCompile(`port=\d+`), "port=<port>"},
	{regexp.MustCompile(`((?:Create|Modify|Raft|reset )[Ii]ndex"?:? *)\d+`), "$1<index>"},
	{regexp.MustCompile(`(to index )\d+`), "$1<index>"},
	{regexp.MustCompile(`[ \t]+`), " "}, // how wide a column is depends on what is in it
	{regexp.MustCompile(`(?m) $`), ""},
}

var number = regexp.MustCompile(`\d+(\.\d+)*`)

func masked(output string, c command) string {
	for _, m := range masks {
		output = m.pattern.ReplaceAllString(output, m.mask)
	}
	if c.numbers {
		output = number.ReplaceAllString(output, "<number>")
	}
	if c.sorted {
		lines := strings.Split(output, "\n")
		slices.Sort(lines)
		output = strings.Join(lines, "\n")
	}
	return output
}
