//go:build !image

package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/spf13/cobra"
)

const (
	// storeAddress is where drydock up has the object store.
	storeAddress = "http://127.0.0.1:9000"
	// storeKey is the access key for people that drydock up makes.
	storeKey = "drydock"
)

// storeOptions are what every command about the object store has.
type storeOptions struct {
	endpoint string
	dir      string
	json     bool
	getenv   func(string) string
}

// s3Command is drydock s3.
func s3Command(getenv func(string) string) *cobra.Command {
	o := &storeOptions{getenv: getenv}
	cmd := &cobra.Command{
		Use:     "s3",
		GroupID: groupPeople,
		Short:   "Say who may do what in the object store, watch its buckets, and keep and restore what is in them",
		Long: `Commands for the object store of drydock up, and for every other that speaks S3.

The access key is that of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or else the
one that drydock up keeps in its folder.`,
		Example: `  drydock s3 events uploads                     what happens in a bucket, as it happens
  drydock s3 events --outbox                    what no destination has accepted yet
  drydock s3 export uploads --output uploads.tar
  drydock s3 import uploads uploads.tar
  drydock s3 export uploads | zstd > uploads.tar.zst
  drydock s3 keys create laptop --policy readwrite    a key of one's own for mc, aws s3, …
  drydock s3 policy set uploads download        everybody may read what is in a bucket`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	flags := cmd.PersistentFlags()
	flags.StringVar(&o.endpoint, "endpoint", storeAddress, "base `URL` of the object store")
	flags.StringVar(&o.dir, "dir", ".drydock", "folder of drydock up, which has the access key")
	flags.BoolVar(&o.json, "json", false, "print JSON, for programs")
	cmd.AddCommand(s3EventsCommand(o), s3ExportCommand(o), s3ImportCommand(o), s3KeysCommand(o), s3PolicyCommand(o))
	return cmd
}

// key finds the access key and its secret.
func (o *storeOptions) key() (name, secret string, err error) {
	name, secret = o.getenv("AWS_ACCESS_KEY_ID"), o.getenv("AWS_SECRET_ACCESS_KEY")
	if (name == "") != (secret == "") {
		return "", "", errors.New("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY go together, and one of them is not set")
	}
	if name != "" {
		return name, secret, nil
	}
	path := filepath.Join(o.dir, "keys.json")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", "", fmt.Errorf("there is no access key: start drydock up here, name its folder with --dir, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (%s is not there)", path)
	}
	if err != nil {
		return "", "", err
	}
	var keys map[string]string
	if err := json.Unmarshal(text, &keys); err != nil || keys[storeKey] == "" {
		return "", "", fmt.Errorf("%s has no access key %q: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", path, storeKey)
	}
	return storeKey, keys[storeKey], nil
}

// url is where the object store is.
func (o *storeOptions) url() (*url.URL, error) {
	u, err := url.Parse(o.endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("--endpoint %s is not the URL of an object store: it takes one as %s", o.endpoint, storeAddress)
	}
	return u, nil
}

// region is what requests are signed for.
func (o *storeOptions) region() string { return cmp.Or(o.getenv("AWS_REGION"), "us-east-1") }

func (o *storeOptions) client() (*minio.Client, error) {
	u, err := o.url()
	if err != nil {
		return nil, err
	}
	name, secret, err := o.key()
	if err != nil {
		return nil, err
	}
	return minio.New(u.Host, &minio.Options{
		Creds:  credentials.NewStaticV4(name, secret, ""),
		Secure: u.Scheme == "https",
		Region: o.region(),
		// A store that is not there is told at once.
		MaxRetries: 3,
	})
}

// explain adds to an error what to do about it.
func (o *storeOptions) explain(err error) error {
	var failed *url.Error
	var answer minio.ErrorResponse
	switch {
	case errors.As(err, &failed):
		return fmt.Errorf("%w: is the object store up? --endpoint says where it is", err)
	case errors.As(err, &answer) && (answer.Code == "InvalidAccessKeyId" || answer.Code == "SignatureDoesNotMatch"):
		return fmt.Errorf("%w: --dir names the folder of the drydock up whose store it is", err)
	}
	return err
}
