// Command s3 serves the emulator's S3 endpoint alone, so that it can be
// measured as a process of its own:
//
//	s3 [-sync=false] FOLDER ADDRESS
//
// The key comes in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/drydock/drydock/emulator/s3"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv); err != nil {
		fmt.Fprintln(os.Stderr, "s3:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, getenv func(string) string) (err error) {
	flags := flag.NewFlagSet("s3", flag.ContinueOnError)
	sync := flags.Bool("sync", true, "make every write durable before it is answered")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 2 {
		return errors.New("usage: s3 [-sync=false] FOLDER ADDRESS")
	}
	store, err := s3.Open(s3.Options{
		Dir: flags.Arg(0), NoSync: !*sync, Keys: map[string]s3.Key{getenv("AWS_ACCESS_KEY_ID"): {Secret: getenv("AWS_SECRET_ACCESS_KEY")}},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	listener, err := net.Listen("tcp", flags.Arg(1))
	if err != nil {
		return err
	}
	server := &http.Server{Handler: store, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	context.AfterFunc(ctx, func() { server.Close() })
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
