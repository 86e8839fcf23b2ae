// Command conformance shows how much of Nomad the emulator is: package
// emulator/conformance says how.
//
//	make conformance
//
// real.txt lists what passes on the real program, differs.txt what of that does
// not pass here, and why. The command fails when the emulator differs in any
// other way, so both lists stay true. Another program is tested with
// -nomad PATH, some tests alone with -run REGEXP.
package main

import (
	_ "embed"

	"github.com/drydock/drydock/emulator/conformance"
)

var (
	//go:embed real.txt
	realList string
	//go:embed differs.txt
	differsList string
)

func main() {
	conformance.Main(conformance.Suite{
		Known:    conformance.Known{Title: "nomad/api", Tests: realList, Differs: differsList, LeastPassing: 225},
		Program:  "nomad",
		Packages: "github.com/hashicorp/nomad/api/...",
		// The real program asks the metadata services of clouds when it sees
		// their variables, and does not start where none answers.
		Unset:    []string{"NOMAD_", "AWS_"},
		Parallel: 32,
	}.Run)
}
