// Package emulator is the whole offline stack in one process: the real
// nats-server, an S3 endpoint whose notifications reach it, a market feed, a
// mail server with an inbox, a Consul, and a Nomad that runs job files.
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
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	nomadapi "github.com/hashicorp/nomad/api"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"golang.org/x/sync/errgroup"

	"github.com/drydock/drydock/cloud"
	cloudnats "github.com/drydock/drydock/cloud/nats"
	clouds3 "github.com/drydock/drydock/cloud/s3"
	"github.com/drydock/drydock/emulator/consul"
	"github.com/drydock/drydock/emulator/mail"
	"github.com/drydock/drydock/emulator/market"
	"github.com/drydock/drydock/emulator/nomad"
	"github.com/drydock/drydock/host/filelock"
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
	// Regions, zones and nodes of Nomad; the jobs run in the first region, whose
	// address is the stack's. Empty: those of topology.Default("global").
	Regions []nomad.Region
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
	portLocks []*filelock.Lock
	keys      keys // to the object store
	secrets   keys // that jobs share

	restarts sync.Mutex // held while a part restarts or the stack closes

	mu     sync.Mutex // guards which parts there are
	nats   *natsPart
	s3     *s3Part
	closed bool

	client *nomadapi.Client // of Nomad; nil before that runs

	// Bus and Objects are ready clients that may do everything. Close closes them.
	Bus     cloud.Bus
	Objects cloud.Objects
	// Market is the market feed, which plays what it is told, Mail the mail
	// server with its inbox, Consul has the datacenter dc1, which knows the parts
	// as the services nats, minio, market, inbox and inbox-page, and Nomad runs the jobs and
	// whatever else is registered there. Close closes them.
	Market *market.Market
	Mail   *mail.Mail
	Consul *consul.Consul
	Nomad  *nomad.Nomad
}

// Start starts the parts and registers the jobs, those that it has not
// registered before or whose files have changed; what it has registered and has
// no file any more it stops. It returns when every job is healthy; when the
// context ends before, or anything fails, what was started is stopped again. A
// taken port is a *PortTakenError, a task that fails a *TaskFailedError.
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

// start starts what a cloud offers beside the cluster, and the jobs once both are there.
func (s *Stack) start(ctx context.Context) error {
	names, err := jobNames(s.options.Jobs)
	if err != nil {
		return err
	}
	if err := s.openFolder(names); err != nil {
		return err
	}
	jobs, err := s.readJobs(names)
	if err != nil {
		return err
	}
	clouds, starting := errgroup.WithContext(ctx)
	clouds.Go(func() error { return s.startCloud(starting) })
	err = s.startCluster(ctx, jobs, clouds.Wait)
	if failed := clouds.Wait(); failed != nil {
		return failed
	}
	return err
}

// openFolder takes the folder and chooses the ports, and reads or makes the keys.
func (s *Stack) openFolder(names []string) (err error) {
	o := &s.options
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
	if err := s.choosePorts(names); err != nil {
		return err
	}
	if s.keys, err = loadKeys(filepath.Join(o.Dir, keysFile), append(names, rootKey)); err != nil {
		return err
	}
	s.secrets, err = loadKeys(filepath.Join(o.Dir, secretsFile), []string{unsubscribeKey})
	return err
}

// startCloud starts the event bus, the object store, the market feed and the mail server.
func (s *Stack) startCloud(ctx context.Context) (err error) {
	o := &s.options
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
	keys, err := storeKeys(o.Jobs, s.keys)
	if err != nil {
		return err
	}
	if s.s3, err = startS3(filepath.Join(o.Dir, "s3"), o.Ports[PartObjects], keys, s.nats.server.URL(), o.Logger); err != nil {
		return err
	}
	if s.Objects, err = clouds3.Open(s.objectsURL(), credentials.NewStaticV4(rootKey, s.keys[rootKey], "")); err != nil {
		return err
	}
	o.Market.Dir, o.Market.Port, o.Market.Logger = filepath.Join(o.Dir, "market"), o.Ports[PartMarket], o.Logger
	if s.Market, err = market.Start(o.Market); err != nil {
		return err
	}
	s.Mail, err = mail.Start(mail.Options{
		Dir: filepath.Join(o.Dir, "mail"), SMTPPort: o.Ports[PartMail], HTTPPort: o.Ports[PartInbox], Logger: o.Logger,
	})
	return err
}

// startCluster starts Consul, and Nomad with the jobs, which need what clouds waits for.
func (s *Stack) startCluster(ctx context.Context, jobs []job, clouds func() error) (err error) {
	o := &s.options
	if s.Consul, err = consul.Start(ctx, consul.Options{
		EagerChecks: true,
		Datacenters: []consul.Datacenter{{Name: "dc1", Agents: []consul.Agent{{
			HTTP: address(o.Ports[PartConsul]), DNS: address(o.Ports[PartDNS]),
		}}}},
		Dir: filepath.Join(o.Dir, "consul"), Logger: o.Logger,
	}); err != nil {
		return err
	}
	return s.startNomad(ctx, jobs, clouds)
}

// address is a port of this machine alone.
func address(port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }

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
	if s.client != nil {
		s.client.Close()
	}
	if s.Nomad != nil {
		err = errors.Join(err, s.Nomad.Close())
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
	for _, lock := range s.portLocks {
		lock.Release()
	}
	if s.lock != nil {
		err = errors.Join(err, s.lock.Close())
	}
	return err
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
