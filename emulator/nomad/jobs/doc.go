// Package jobs knows a job as Nomad's servers treat it: what they fill in, what
// they refuse and in which words, how two versions differ, how a job file is
// read, and which jobs a periodic or a parameterized one launches. It has no
// state and does no I/O; package nomad calls it for the endpoints about jobs,
// and package state when it writes them.
//
// Jobs are the types of the official client, github.com/hashicorp/nomad/api. Of
// a canonical job, which Canonicalize makes, all fields are set that the real
// program sets.
package jobs
