//go:build !image

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/minio/minio-go/v7"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/drydock/drydock/operate/buckets"
)

// progressEvery is how often long work says how far it is.
const progressEvery = 2 * time.Second

func s3ExportCommand(o *storeOptions) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "export BUCKET",
		Short: "Write a bucket as one archive",
		Long: `Write all objects of a bucket, with their metadata and tags, and all versions and
delete markers if it is versioned, as a tar archive. The sums of each are in it:
drydock s3 import checks them. A file has its name only once the archive is whole.

Not in the archive: retention and legal holds, and the rules of the bucket itself
(policy, lifecycle, notifications, CORS, tags).`,
		Example: `  drydock s3 export uploads --output uploads.tar
  drydock s3 export uploads | zstd > uploads.tar.zst
  drydock s3 export uploads | ssh backup 'cat > uploads.tar'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			out := cmd.OutOrStdout()
			if f, ok := out.(*os.File); ok && output == "-" && term.IsTerminal(int(f.Fd())) {
				return errors.New("an archive is nothing for a terminal: name a file with --output, or redirect it")
			}
			summaryTo := out
			if output == "-" {
				summaryTo = cmd.ErrOrStderr()
			}
			return o.archive(cmd, summaryTo, "exported", func(c *minio.Client, progress func(buckets.Summary)) (s buckets.Summary, err error) {
				if output == "-" {
					return buckets.Export(cmd.Context(), c, args[0], out, progress)
				}
				return exportFile(cmd.Context(), c, args[0], output, progress)
			})
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "-", "`file` to write; - is the standard output")
	return cmd
}

// exportFile writes an archive under its name once it is whole and on the disk.
func exportFile(ctx context.Context, c *minio.Client, bucket, name string, progress func(buckets.Summary)) (s buckets.Summary, err error) {
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*.part")
	if err != nil {
		return s, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	s, err = buckets.Export(ctx, c, bucket, f, progress)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return s, err
	}
	return s, os.Rename(f.Name(), name)
}

func s3ImportCommand(o *storeOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "import BUCKET FILE",
		Short: "Bring an archive of a bucket back",
		Long: `Bring back what drydock s3 export has written, into a bucket of any name, which is
made when it is not there. Each version is checked before it is seen in the
bucket. What the bucket has already is left alone, so an import that was broken
off can be repeated; nothing is removed. Versions get new ids and times.`,
		Example: `  drydock s3 import uploads uploads.tar
  drydock s3 import copy uploads.tar --endpoint https://minio.example:9000
  zstd -d < uploads.tar.zst | drydock s3 import uploads -`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			in := cmd.InOrStdin()
			if args[1] != "-" {
				f, err := os.Open(args[1])
				if err != nil {
					return err
				}
				defer func() { _ = f.Close() }()
				in = f
			}
			return o.archive(cmd, cmd.OutOrStdout(), "imported", func(c *minio.Client, progress func(buckets.Summary)) (buckets.Summary, error) {
				return buckets.Import(cmd.Context(), c, args[0], in, progress)
			})
		},
	}
}

// archive does long work on an archive, tells of its progress, and says what it
// came to, be it all or a part.
func (o *storeOptions) archive(cmd *cobra.Command, summaryTo io.Writer, did string, work func(*minio.Client, func(buckets.Summary)) (buckets.Summary, error)) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	began, said := time.Now(), time.Now()
	s, err := work(client, func(s buckets.Summary) {
		if now := time.Now(); now.Sub(said) >= progressEvery {
			said = now
			fmt.Fprintf(cmd.ErrOrStderr(), "%s so far: %s\n", did, describe(s, now.Sub(began)))
		}
	})
	if err != nil {
		if s.Versions+s.Skipped > 0 {
			err = fmt.Errorf("%w (%s before that: %s)", err, did, describe(s, time.Since(began)))
		}
		return o.explain(err)
	}
	if o.json {
		return printJSON(summaryTo, s)
	}
	_, err = fmt.Fprintf(summaryTo, "%s %s: %s\n", s.Bucket, did, describe(s, time.Since(began)))
	return err
}

func describe(s buckets.Summary, took time.Duration) string {
	text := fmt.Sprintf("%d versions, %s, in %s", s.Versions, humanize.IBytes(uint64(s.Bytes)), took.Round(time.Millisecond))
	if s.Skipped > 0 {
		text += fmt.Sprintf("; %d were there already", s.Skipped)
	}
	if s.Gone > 0 {
		text += fmt.Sprintf("; %d were removed meanwhile", s.Gone)
	}
	return text
}
