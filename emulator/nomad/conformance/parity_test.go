package main

import (
	_ "embed"
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/drydock/drydock/emulator/conformance/parity"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// commandsDiffer lists the commands that do not do here what they do on the
// real Nomad, each with the reason.
//
//go:embed commands-differ.txt
var commandsDiffer string

// TestParityOfJobs runs the official program's commands for jobs, one after
// another, against the real Nomad and the emulator: they end and print alike.
func TestParityOfJobs(t *testing.T) {
	t.Parallel()
	compareCommands(t, "", jobCommands, batchCommands)
}

// TestParityOfDeployments does it for how versions of jobs follow each other.
func TestParityOfDeployments(t *testing.T) {
	t.Parallel()
	compareCommands(t, "", deploymentCommands)
}

// TestParityOfAllocations does it for what runs, and on a node that is drained.
func TestParityOfAllocations(t *testing.T) {
	t.Parallel()
	compareCommands(t, "", allocationCommands, drainCommands)
}

// TestParityOfCluster does it for what is beside the jobs.
func TestParityOfCluster(t *testing.T) {
	t.Parallel()
	compareCommands(t, "", clusterCommands, storageCommands, operatorCommands, mistakenCommands)
}

// TestParityOfAccessControl does it where requests need tokens.
func TestParityOfAccessControl(t *testing.T) {
	t.Parallel()
	compareCommands(t, "acl { enabled = true }", aclCommands)
}

// bootstrapToken is what aclCommands set up, and use where they name no other.
const bootstrapToken = "b0000000-0000-0000-0000-000000000000"

// compareCommands runs tables of commands against the two, each started for it
// with further settings.
func compareCommands(t *testing.T, further string, tables ...[]parity.Command) {
	t.Helper()
	differs, err := parity.ParseDiffers(commandsDiffer)
	require.NoError(t, err)
	program := realNomad(t)
	shell := func(a agent) *parity.Shell {
		return parity.NewShell(t, parity.Settings{
			Program: program,
			Name:    "nomad",
			Files:   "testdata/parity",
			Set:     []string{"NOMAD_ADDR=" + a.url, "AGENT=" + a.port, "NOMAD_TOKEN=" + bootstrapToken, "NOMAD_CLI_SHOW_HINTS=false"},
			Wait:    2 * time.Minute,
		})
	}
	comparison := parity.Comparison{
		Real:     shell(startReal(t, program, further)),
		Emulated: shell(startEmulated(t, further)),
		Masks:    masks,
		Differs:  differs,
	}
	for _, commands := range tables {
		comparison.Run(t, patiently(commands))
	}
}

// reading matches the commands that only read.
var reading = regexp.MustCompile(`^(NOMAD_TOKEN=(\$\([^)]*\))? )?(api '?/v1|(await [^>]*')?nomad( [a-z-]+){0,3} ` +
	`(status|list|info|allocs|deployments|history|inspect|logs|fs|checks|scaling-events|read|get|get-config|members)\b)[^&>]*$`)

// patiently has the commands that only read be repeated until both agree: what
// the one before has set off takes its time, on a busy machine the more.
func patiently(commands []parity.Command) []parity.Command {
	commands = slices.Clone(commands)
	for i := range commands {
		commands[i].Eventually = commands[i].Eventually || reading.MatchString(commands[i].Line)
	}
	return commands
}

// masks are what differs between two Nomads that do the same.
var masks = []parity.Mask{
	// What a task takes at the moment, and a machine has.
	{Pattern: regexp.MustCompile(`(Addresses\n)(?:\d+/)?(\d+ MHz +)(?:[\d.]+ [KMGTPE]?i?B/)?`), With: "$1$2"},
	{Pattern: regexp.MustCompile(`(Resource Utilization\nCPU +Memory.*\n).*`), With: "$1<used>"},
	{Pattern: regexp.MustCompile(`(\d+/\d+ MHz +)[\d.]+ [KMGTPE]iB(/[\d.]+ [KMGTPE]iB +)[\d.]+ [KMGTPE]iB(/[\d.]+ [KMGTPE]iB)`), With: "$1<used>$2<used>$3"},
	{Pattern: regexp.MustCompile(`(Uptime += ).*`), With: "$1<time>"},

	// Times and durations.
	{Pattern: regexp.MustCompile(`\b(\d+[hms])+ ago`), With: "<time>"},
	{Pattern: regexp.MustCompile(`("(?:Create|Modify|Submit|Publish)Time"|"(?:StatusUpdated|Finished|Started)At"|"Time"): \d+`), With: "$1: <time>"},

	{Pattern: regexp.MustCompile(`(restarting in |Allocation Time += )\S+`), With: "$1<time>"},
	{Pattern: regexp.MustCompile(`\(\d\S*h\d+m\d+s from now\)`), With: "(<time>)"},
	{Pattern: regexp.MustCompile(`("AllocationTime": )\d+`), With: "$1<time>"},

	// What each chooses for itself.
	{Pattern: regexp.MustCompile(`\b[0-9a-f]{32}\b`), With: "<check>"},
	{Pattern: regexp.MustCompile(`(127\.0\.0\.1 +)\d+( +alive)`), With: "$1<port>$2"},
	{Pattern: regexp.MustCompile(`\b(port=)\d+`), With: "$1<port>"},
	{Pattern: regexp.MustCompile(`(check-index[= ]|server-side index |current state value )\(?\d+\)?`), With: "$1<index>"},
	{Pattern: regexp.MustCompile(`((?:create|modify)_(?:index|time) += )\d+`), With: "$1<number>"},
	{Pattern: regexp.MustCompile(`("RequestTime": )\d+`), With: "$1<number>"},
	{Pattern: regexp.MustCompile(`eyJ[\w-]+\.[\w-]+\.[\w-]+`), With: "<token>"},
	{Pattern: regexp.MustCompile(`("(?:Value|Port)": )\d{5}\b`), With: "$1<port>"},
	{Pattern: regexp.MustCompile(`((?:/|%2F)(?:dispatch|periodic)-)[\w-]+`), With: "$1<id>"},
	{Pattern: regexp.MustCompile(os.TempDir() + `/\S+`), With: "<path>"},
	{Pattern: regexp.MustCompile(`("\w*Index"|Modify Index +=|Job Modify Index:|job modify index:|check-index|ModifyIndex +=|CreateIndex +=|Index +=)(:? *)\d+`), With: "$1$2<index>"},
}
