package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/dustin/go-humanize"
	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/drydock/drydock/operate/demo"
)

// defaultAPI is where drydock up has the uploads API.
const defaultAPI = "http://127.0.0.1:8080"

// demoOptions are the flags of drydock demo.
type demoOptions struct {
	api         string
	concurrency int
	json        bool
}

func demoCommand() *cobra.Command {
	var o demoOptions
	cmd := &cobra.Command{
		Use:     "demo [DIR]",
		GroupID: groupPeople,
		Short:   "Send a folder of pictures through the stack, and measure what becomes of them",
		Long: `Upload every file of a folder as a browser would, straight to the object store,
wait until each is processed or rejected, and print what came of it. Without a
folder, a few photographs that are part of the program are sent.`,
		Example: `  drydock demo
  drydock demo ~/Pictures --concurrency 16
  drydock demo ~/Pictures --json | jq '.files[] | select(.status == "rejected")'
  drydock demo alerts                      the other demo: a crash, and the mail that it causes`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			files := demo.Photographs()
			if len(args) == 1 {
				info, err := os.Stat(args[0])
				if errors.Is(err, fs.ErrNotExist) {
					return fmt.Errorf("%s: there is no such folder", args[0])
				}
				if err != nil {
					return err
				}
				if !info.IsDir() {
					return fmt.Errorf("%s is not a folder: name one that holds pictures", args[0])
				}
				files = os.DirFS(args[0])
			}
			return runDemo(cmd.Context(), o, files, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&o.api, "api", defaultAPI, "base URL of the uploads API")
	cmd.Flags().IntVar(&o.concurrency, "concurrency", 8, "files on their way at once")
	cmd.Flags().BoolVar(&o.json, "json", false, "print the report as JSON")
	cmd.AddCommand(demoAlertsCommand())
	return cmd
}

func runDemo(ctx context.Context, o demoOptions, files fs.FS, stdout, stderr io.Writer) error {
	if o.concurrency < 1 || o.concurrency > 1000 {
		return fmt.Errorf("--concurrency %d is not a number from 1 to 1000", o.concurrency)
	}
	options := demo.Options{API: o.api, Files: files, Concurrency: o.concurrency}
	count, err := demo.Count(files)
	if err != nil {
		return fmt.Errorf("read pictures: %w", err)
	}
	if terminal, ok := stderr.(*os.File); ok && term.IsTerminal(int(terminal.Fd())) {
		bar := newBar(stderr, count)
		defer bar.Clear() // before an error is told
		options.Done = func(demo.File) { bar.Add(1) }
	}
	report, err := demo.Run(ctx, options)
	if ctx.Err() != nil {
		return errors.New("stopped before every file had reached its end")
	}
	if err != nil {
		return err
	}
	if o.json {
		encoder := json.NewEncoder(stdout)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(report); err != nil {
			return err
		}
	} else {
		printReport(stdout, report)
	}
	if report.Failed > 0 {
		return fmt.Errorf("%d of %d files could not be sent", report.Failed, len(report.Files))
	}
	return nil
}

func newBar(out io.Writer, count int) *progressbar.ProgressBar {
	bar := progressbar.NewOptions(count,
		progressbar.OptionSetWriter(out),
		progressbar.OptionSetDescription("pictures"),
		progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionSetItsString("pictures"),
		progressbar.OptionThrottle(50*time.Millisecond),
		progressbar.OptionClearOnFinish(),
	)
	bar.RenderBlank()
	return bar
}

func printReport(out io.Writer, r *demo.Report) {
	if r.Processed > 0 {
		printVariants(out, r)
	}
	fmt.Fprintf(out, "%d processed, %d rejected, %d failed, in %.2f s: %.1f pictures/s\n",
		r.Processed, r.Rejected, r.Failed, r.Took.Seconds(), r.PerSecond)
	if r.Processed > 0 {
		fmt.Fprintf(out, "From upload to processed: median %d ms, 99th percentile %d ms\n",
			r.Median.Milliseconds(), r.Percent99.Milliseconds())
	}
	for _, file := range r.Files {
		if file.Reason != "" {
			fmt.Fprintln(out, " ", printable(fmt.Sprintf("%s %s: %s", file.Status, file.Name, file.Reason)))
		}
	}
}

// printable keeps a file's name from being more than text to the terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}

func printVariants(out io.Writer, r *demo.Report) {
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "variant\tpictures\tbefore\tafter\tsaved\t")
	for _, v := range r.ByVariant {
		saved := 100 * (1 - float64(v.After)/float64(max(v.Before, 1)))
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%.1f %%\t\n", v.Name, v.Pictures, size(v.Before), size(v.After), saved)
	}
	table.Flush()
	fmt.Fprintln(out)
}

func size(bytes int64) string { return humanize.Bytes(uint64(bytes)) }
