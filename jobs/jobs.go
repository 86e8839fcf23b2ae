// Package jobs holds Drydock's Nomad job files, one job per file, as
// `nomad job run` takes them; the emulator runs these very files.
package jobs

import "embed"

// Files are the job files, <job>.nomad.hcl.
//
//go:embed *.nomad.hcl
var Files embed.FS
