package main

import (
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/drydock/drydock/emulator/conformance/parity"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// realProgram is the path of a program that scripts/real.sh finds or makes.
func realProgram(t *testing.T, name string) string {
	return parity.RealProgram(t, "../../../scripts/real.sh", name)
}

// startBoth starts a real MinIO and an emulator, and returns their addresses.
func startBoth(t *testing.T) (real, emulated string) {
	t.Helper()
	address := func(e *endpoint, err error) string {
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, e.stop()) })
		return e.address
	}
	return address(startMinIO(t.Context(), realProgram(t, "minio"))), address(startEmulator())
}

// compareCommands runs the commands of the named program, one after another, against a
// real MinIO and the emulator: they end and print alike. set is what the program
// has to be told of an address.
func compareCommands(t *testing.T, program, name string, set func(address string) []string, commands []parity.Command) {
	t.Helper()
	shell := func(address string) *parity.Shell {
		return parity.NewShell(t, parity.Settings{
			Program: program, Name: name, Files: "testdata/parity", Set: set(address), Wait: time.Minute,
		})
	}
	real, emulated := startBoth(t)
	parity.Comparison{Real: shell(real), Emulated: shell(emulated), Masks: masks}.Run(t, commands)
}

// masks are what differs between two stores that do the same.
var masks = []parity.Mask{
	{Pattern: regexp.MustCompile(`/[^` + "`" + ` ]*/TestParity[^/]*/\d+/`), With: "<dir>/"},
	{Pattern: regexp.MustCompile(`\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT`), With: "<time>"},
	{Pattern: regexp.MustCompile(`\d+(\.\d+)? ([KMG]i)?B/s`), With: "<speed>"},
	{Pattern: regexp.MustCompile(`\d\dm\d\ds`), With: "<duration>"},
	{Pattern: regexp.MustCompile(`\b[0-9a-v]{20}\b`), With: "<rule>"},
	{Pattern: regexp.MustCompile(`─+`), With: "─"}, // how wide a column is depends on what is in it
	{Pattern: regexp.MustCompile(`("(UploadId|ID|DisplayName|NextToken)": )"[^"]*"`), With: `$1"<$2>"`},
}
