// Package emulator is the whole offline stack in one process: the real
// nats-server, an S3 endpoint whose notifications reach it, a market feed, a
// mail server with an inbox, a Consul, and a scheduler that runs Nomad job files.
//
// It is a library first: a Go test starts as many as it likes, each with its
// own folder and free ports, and `drydock up` is one of its callers.
package emulator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/drydock/drydock/cloud"
	cloudnats "github.com/drydock/drydock/cloud/nats"
	clouds3 "github.com/drydock/drydock/cloud/s3"
	"github.com/drydock/drydock/emulator/consul"
	"github.com/drydock/drydock/emulator/mail"
	"github.com/drydock/drydock/emulator/market"
	"github.com/drydock/drydock/emulator/nomad/client"
)

// Bucket is the bucket that uploads go to; what arrives below its incoming/ is notified.
const Bucket = "uploads"

// Options configure a stack. The zero value is a stack of its own: a temporary
// folder, free ports, and no jobs.
type Options struct {
	// Dir keeps the state over restarts; one stack at a time can have it.
	// Empty: a temporary folder that Close removes.
	Dir string
	// Ports on 127.0.0.1 by the name of the part (PartObjects, …) or of the job,
	// which gets its own as the variable http_port. One that is missing or 0 is
	// a free one, which stays the same while a part restarts.
	Ports map[string]int
	// Market says what the market feed plays; its folder, port and logger are the stack's.
	Market market.Options
	// Jobs holds the job files to run, *.nomad.hcl; nil runs none.
	Jobs fs.FS
	// Path is put first where the tasks' programs are looked for.
	Path []string
	// Logger gets warnings and errors of the parts; nil drops them.
	Logger *slog.Logger
	// Output, if set, receives each line that a task prints, after the task's name.
	Output io.Writer
}

// Stack is a running emulator. Its methods may be called from any goroutine.
type Stack struct {
	options   Options
	ephemeral bool
	lock      *os.File
	keys      keys // to the object store
	secrets   keys // that jobs share

	restarts sync.Mutex // held while a part restarts or the stack closes

	mu     sync.Mutex // guards which parts there are
	nats   *natsPart
	s3     *s3Part
	nomad  *client.Nomad
	closed bool

	// Bus and Objects are ready clients that may do everything. Close closes them.
	Bus     cloud.Bus
	Objects cloud.Objects
	// Market is the market feed, which plays what it is told, Mail the mail
	// server with its inbox, and Consul has the datacenter dc1. Close closes them.
	Market *market.Market
	Mail   *mail.Mail
	Consul *consul.Consul
}

// Start starts the parts and registers the jobs. It returns when every job is
// healthy; when the context ends before, or anything fails, what was started
// is stopped again. A taken port is a *PortTakenError.
func Start(ctx context.Context, o Options) (*Stack, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	s := &Stack{options: o}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start the offline stack: %w", err), s.Close())
	}
	return s, nil
}

func (s *Stack) start(ctx context.Context) (err error) {
	o := &s.options
	names, err := jobNames(o.Jobs)
	if err != nil {
		return err
	}
	if o.Dir == "" {
		if o.Dir, err = temporaryFolder(); err != nil {
			return err
		}
		s.ephemeral = true
	}
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return err
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return err
	}
	if s.lock, err = lockFolder(o.Dir); err != nil { // before the ports: who has the folder has them too
		return err
	}
	if o.Ports, err = choosePorts(o.Ports, names); err != nil {
		return err
	}
	if s.keys, err = loadKeys(filepath.Join(o.Dir, keysFile), append(names, rootKey)); err != nil {
		return err
	}
	if s.secrets, err = loadKeys(filepath.Join(o.Dir, secretsFile), []string{unsubscribeKey}); err != nil {
		return err
	}
	if s.nats, err = startNATS(filepath.Join(o.Dir, "nats"), o.Ports[PartEvents], o.Logger); err != nil {
		return err
	}
	bus, err := cloudnats.OpenBus(ctx, s.nats.server.URL())
	if err != nil {
		return err
	}
	s.Bus = bus
	if err := bus.Declare(ctx, "objects"); err != nil {
		return err
	}
	if s.s3, err = startS3(filepath.Join(o.Dir, "s3"), o.Ports[PartObjects], s.keys, s.nats.server.URL(), o.Logger); err != nil {
		return err
	}
	if s.Objects, err = clouds3.Open(s.objectsURL(), credentials.NewStaticV4(rootKey, s.keys[rootKey], "")); err != nil {
		return err
	}
	o.Market.Dir, o.Market.Port, o.Market.Logger = filepath.Join(o.Dir, "market"), o.Ports[PartMarket], o.Logger
	if s.Market, err = market.Start(o.Market); err != nil {
		return err
	}
	if s.Mail, err = mail.Start(mail.Options{
		Dir: filepath.Join(o.Dir, "mail"), SMTPPort: o.Ports[PartMail], HTTPPort: o.Ports[PartInbox], Logger: o.Logger,
	}); err != nil {
		return err
	}
	if s.Consul, err = consul.Start(ctx, consul.Options{
		EagerChecks: true,
		Datacenters: []consul.Datacenter{{Name: "dc1", Agents: []consul.Agent{{
			HTTP: address(o.Ports[PartConsul]), DNS: address(o.Ports[PartDNS]),
		}}}},
		Dir: filepath.Join(o.Dir, "consul"), Logger: o.Logger,
	}); err != nil {
		return err
	}
	return s.startJobs(ctx, names)
}

// address is a port of this machine alone.
func address(port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }

// extension is what the names of job files end in; the job's name is before it.
const extension = ".nomad.hcl"

// jobNames are the jobs of a folder of job files; none without a folder.
func jobNames(jobs fs.FS) ([]string, error) {
	if jobs == nil {
		return nil, nil
	}
	names, err := fs.Glob(jobs, "*"+extension)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, errors.New("there is no job file *.nomad.hcl to run")
	}
	for i, file := range names {
		names[i] = strings.TrimSuffix(file, extension)
	}
	return names, nil
}

// offline are the jobs' variables that differ where all is on one machine: the
// feed may be asked often, and webhooks go to programs beside it.
var offline = map[string]map[string]string{
	"quotes":   {"every": "1s"},
	"webhooks": {"private": "allow"},
}

// startJobs registers the jobs and waits until all of them are healthy.
func (s *Stack) startJobs(ctx context.Context, names []string) (err error) {
	if len(names) == 0 {
		return nil
	}
	variables := map[string]map[string]string{}
	for _, name := range names {
		variables["nomad/jobs/"+name] = map[string]string{
			"bus":             s.NATSURL(),
			"objects":         s.objectsURL(),
			"access_key":      name,
			"secret_key":      s.keys[name],
			"market":          s.Market.URL(),
			"mail":            s.Mail.SMTPURL(),
			"mail_from":       mailFrom,
			"public_url":      "http://" + address(s.options.Ports[linkedJob]),
			"unsubscribe_key": s.secrets[unsubscribeKey],
		}
	}
	if s.nomad, err = client.New(client.Options{
		Dir:       filepath.Join(s.options.Dir, "nomad"),
		Path:      s.options.Path,
		Variables: variables,
		Consul:    s.Consul.URL("dc1"),
		Logger:    s.options.Logger,
		Output:    s.options.Output,
	}); err != nil {
		return err
	}
	var jobs []string
	for _, name := range names {
		file := name + extension
		text, err := fs.ReadFile(s.options.Jobs, file)
		if err != nil {
			return err
		}
		given := map[string]string{"http_port": strconv.Itoa(s.options.Ports[name])}
		maps.Copy(given, offline[name])
		job, err := client.ParseJob(file, text, given)
		if err != nil {
			return err
		}
		if err := s.nomad.Register(ctx, job); err != nil {
			return err
		}
		jobs = append(jobs, *job.ID)
	}
	for _, job := range jobs {
		if err := s.nomad.WaitHealthy(ctx, job); err != nil {
			return err
		}
	}
	return nil
}

// Close stops the jobs, each within its kill_timeout, then the parts, and
// removes a temporary folder. It may be called twice.
func (s *Stack) Close() error {
	s.restarts.Lock()
	defer s.restarts.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	var err error
	if s.nomad != nil {
		err = errors.Join(err, s.nomad.Close())
	}
	if s.Consul != nil {
		err = errors.Join(err, s.Consul.Close())
	}
	if s.Mail != nil {
		err = errors.Join(err, s.Mail.Close())
	}
	if s.Market != nil {
		err = errors.Join(err, s.Market.Close())
	}
	if s.Bus != nil {
		err = errors.Join(err, s.Bus.Close())
	}
	if s.s3 != nil {
		err = errors.Join(err, s.s3.close())
	}
	if s.nats != nil {
		err = errors.Join(err, s.nats.server.Close())
	}
	if s.ephemeral {
		err = errors.Join(err, os.RemoveAll(s.options.Dir))
	}
	if s.lock != nil {
		err = errors.Join(err, s.lock.Close())
	}
	return err
}

// URL is where a job's port http answers; empty when the job does not run or
// has no such port.
func (s *Stack) URL(job string) string {
	for _, allocation := range s.Allocations() {
		if allocation.JobID == job && allocation.Status == "running" && allocation.Ports["http"] != "" {
			return "http://" + allocation.Ports["http"]
		}
	}
	return ""
}

// S3URL is where the object store answers.
func (s *Stack) S3URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return "http://" + s.s3.address
}

// NATSURL is where the event bus answers.
func (s *Stack) NATSURL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nats.server.URL()
}

func (s *Stack) objectsURL() string { return "s3+" + s.S3URL() + "/" + Bucket }

// KeysFile is where the keys to the object store are kept: a JSON object of
// secrets by access key, readable by its owner alone.
func (s *Stack) KeysFile() string { return filepath.Join(s.options.Dir, keysFile) }

// Records opens a collection on the stack's bus. The caller closes it.
func (s *Stack) Records(ctx context.Context, collection string) (cloud.Records, error) {
	return cloudnats.OpenRecords(ctx, s.NATSURL(), collection)
}

// Allocations are the jobs' instances as they are now; none without jobs.
func (s *Stack) Allocations() []client.Allocation {
	if s.nomad == nil {
		return nil
	}
	return s.nomad.Allocations()
}

// RestartNATS stops the event bus, calls meanwhile (unless nil), and starts it
// again on its port with what it had, as after a crash of its machine.
// Meanwhile must not call Close nor restart anything.
func (s *Stack) RestartNATS(meanwhile func()) error {
	s.restarts.Lock()
	defer s.restarts.Unlock()
	again, err := s.nats.restart(meanwhile)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nats = again
	return err
}

// RestartS3 does the same with the object store.
func (s *Stack) RestartS3(meanwhile func()) error {
	s.restarts.Lock()
	defer s.restarts.Unlock()
	again, err := s.s3.restart(meanwhile)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.s3 = again
	return err
}
