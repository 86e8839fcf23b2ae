// Package nats runs the real nats-server inside the emulator's process, with
// JetStream kept on disk.
//
// Every write is synced to disk before it is acknowledged (the server's
// sync_interval: always). The server's own default syncs every two minutes and
// relies on replicas for what a crash loses in between; a laptop has one
// server and no replica, so what was acknowledged has to be on its disk.
package nats

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// startWait is how long a server may take to find its streams again and accept connections.
const startWait = 30 * time.Second

// Options say where a server keeps its data and listens.
type Options struct {
	// Dir holds the streams. It must not be used by another server.
	Dir string
	// Port on 127.0.0.1; 0 picks a free one.
	Port int
	// Logger gets the server's warnings and errors; nil drops them.
	Logger *slog.Logger
}

// Server is a running nats-server.
type Server struct {
	server *server.Server
}

// Start returns once the server accepts connections. The caller closes it.
func Start(o Options) (*Server, error) {
	if o.Port == 0 {
		o.Port = server.RANDOM_PORT
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	s, err := server.NewServer(&server.Options{
		ServerName: "drydock",
		Host:       "127.0.0.1",
		Port:       o.Port,
		JetStream:  true,
		StoreDir:   o.Dir,
		SyncAlways: true,
		NoSigs:     true, // signals belong to the program around
	})
	if err != nil {
		return nil, fmt.Errorf("start nats-server: %w", err)
	}
	log := &logger{log: o.Logger, fatal: make(chan string, 1)}
	s.SetLoggerV2(log, false, false, false)
	s.Start()
	if err := log.wait(s); err != nil {
		s.Shutdown()
		s.WaitForShutdown()
		return nil, fmt.Errorf("start nats-server: %w", err)
	}
	return &Server{server: s}, nil
}

// URL is where clients connect to.
func (s *Server) URL() string { return s.server.ClientURL() }

// Close stops the server and waits until its files are closed. It may be called twice.
func (s *Server) Close() error {
	s.server.Shutdown()
	s.server.WaitForShutdown()
	return nil
}

// logger hands the server's warnings and errors on and drops its chatter.
type logger struct {
	log   *slog.Logger
	fatal chan string // the first error that the server cannot live with
}

// wait returns when the server accepts connections or has said why it never will.
func (l *logger) wait(s *server.Server) error {
	const step = 50 * time.Millisecond
	for waited := time.Duration(0); waited < startWait; waited += step {
		if s.ReadyForConnections(step) {
			return nil
		}
		select {
		case reason := <-l.fatal:
			return errors.New(reason)
		default:
		}
	}
	return fmt.Errorf("it accepts no connections after %v", startWait)
}

func (l *logger) Noticef(string, ...any) {}
func (l *logger) Debugf(string, ...any)  {}
func (l *logger) Tracef(string, ...any)  {}

func (l *logger) Warnf(format string, v ...any) {
	l.log.Warn("nats-server: " + fmt.Sprintf(format, v...))
}

func (l *logger) Errorf(format string, v ...any) {
	l.log.Error("nats-server: " + fmt.Sprintf(format, v...))
}

func (l *logger) Fatalf(format string, v ...any) {
	reason := fmt.Sprintf(format, v...)
	l.log.Error("nats-server: " + reason)
	select {
	case l.fatal <- reason:
	default:
	}
}
