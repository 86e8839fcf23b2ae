package e2e

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	nomad "github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"
)

var (
	stackFlag  = flag.String("stack", "emulator", "where the cases run: emulator, real or cluster")
	nomadFlag  = flag.String("nomad", "", "the URL of a Nomad that runs the jobs already, instead of -stack")
	consulFlag = flag.String("consul", "", "the URL of its Consul")
	updateFlag = flag.Bool("update", false, "write the stack's column of docs/parity.md")
)

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if programsFolder != "" {
		os.RemoveAll(programsFolder)
	}
	os.Exit(code)
}

// cases run in this order on one stack, which each leaves as it has found it. A
// case waits only for those jobs to be settled that it depends on: what the one
// before has set going may go on beside it.
var cases = []struct {
	name  string
	needs func(*nomad.Job) bool
	run   func(run)
}{
	{"upload → processed", noJob, uploadIsProcessed},
	{"alert → mail", noJob, alertIsMailed},
	{"dead letter, redriven", noJob, deadLetterIsRedriven},
	{"worker killed", only(worker), workerIsKilled},
	{"blue-green update", only(updated), updateIsBlueGreen},
	{"scale", only(worker), workersAreScaled},
	{"rollback", only(updated), badVersionIsRolledBack},
	{"bus away", everyJob, busIsAway},
	{"drain", everyJob, nodeIsDrained},
	{"zone lost", everyJob, zonesAreLost},
}

func noJob(*nomad.Job) bool    { return false }
func everyJob(*nomad.Job) bool { return true }

func only(id string) func(*nomad.Job) bool {
	return func(job *nomad.Job) bool { return *job.ID == id }
}

// rowStart is the row of the time that the stack takes to be ready.
const rowStart = "start"

func TestEndToEnd(t *testing.T) {
	require.NoError(t, build())
	began := time.Now()
	s := open(t)
	outcomes := map[string]string{rowStart: passed(time.Since(began))}
	defer func() { keep(t, s.name, outcomes) }()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := run{t, s}
			defer func() {
				if t.Failed() {
					r.explain()
				}
			}()
			began := time.Now()
			outcomes[c.name] = "failed"
			defer func() {
				switch {
				case t.Skipped():
					outcomes[c.name] = s.inapplicable
				case !t.Failed():
					outcomes[c.name] = passed(time.Since(began))
				}
			}()
			r.settled(c.needs)
			c.run(r)
		})
	}
	run{t, s}.settled(everyJob)
}

// passed is what the table says of what went well.
func passed(took time.Duration) string { return fmt.Sprintf("%.1f s", took.Seconds()) }

// keep prints the table with the outcomes of this run, and writes it if it is asked to.
func keep(t *testing.T, stack string, outcomes map[string]string) {
	t.Helper()
	text, err := os.ReadFile(parityFile)
	require.NoError(t, err)
	table := parseTable(string(text))
	table.set(stack, outcomes)
	fmt.Printf("\n%s\n", table.rows())
	if *updateFlag {
		require.NoError(t, os.WriteFile(parityFile, []byte(table.String()), 0o644))
	}
}
