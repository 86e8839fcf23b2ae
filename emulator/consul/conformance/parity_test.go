package main

import (
	"regexp"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/drydock/drydock/emulator/conformance/parity"
	"github.com/drydock/drydock/emulator/consul"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestParity runs the official program's commands, one after another, against
// the real Consul and the emulator: they end and print alike.
func TestParity(t *testing.T) {
	t.Parallel()
	program := realConsul(t)
	compareCommands(t, program, startReal(t, program), startEmulated(t, consul.ACL{}), "", commands)
}

// TestParityOfAccessControl does it where requests need tokens.
func TestParityOfAccessControl(t *testing.T) {
	t.Parallel()
	program := realConsul(t)
	real := startReal(t, program, `acl { enabled = true default_policy = "deny" }`)
	emulated := startEmulated(t, consul.ACL{Enabled: true})
	compareCommands(t, program, real, emulated, bootstrapToken, aclCommands)
}

// compareCommands runs commands with the token against the two at these URLs.
func compareCommands(t *testing.T, program, real, emulated, token string, commands []parity.Command) {
	shell := func(url string) *parity.Shell {
		return parity.NewShell(t, parity.Settings{
			Program: program,
			Name:    "consul",
			Files:   "testdata/parity",
			Set:     []string{"CONSUL_HTTP_ADDR=" + url, "CONSUL_HTTP_TOKEN=" + token},
			Wait:    10 * time.Second,
		})
	}
	parity.Comparison{Real: shell(real), Emulated: shell(emulated), Masks: masks}.Run(t, commands)
}

// masks are what differs between two Consuls that do the same.
var masks = []parity.Mask{
	{Pattern: regexp.MustCompile(`-----BEGIN (\w+ )+?PRIVATE KEY-----.*?-----END (\w+ )+?PRIVATE KEY-----`), With: "<key>"},
	{Pattern: regexp.MustCompile(`-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----`), With: "<certificate>"},
	{Pattern: regexp.MustCompile(`\b([0-9a-f]{2}:){10,}[0-9a-f]{2}\b`), With: "<fingerprint>"},
	{Pattern: regexp.MustCompile(`\w+day, \d\d-\w{3}-[2-9]\d \d\d:\d\d:\d\d UTC`), With: "<time>"}, // the zero time stays
	{Pattern: regexp.MustCompile(`port=\d+`), With: "port=<port>"},
}
