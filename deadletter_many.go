package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/drydock/drydock/operate/deadletter"
)

func redriveCommand(o *letterOptions) *cobra.Command {
	var redrive deadletter.Redrive
	var rate string
	var yes bool
	cmd := &cobra.Command{
		Use:   "redrive ID... | --all | FILTER",
		Short: "Send events again to the consumer that gave them up",
		Long: `Send events again to the consumer that gave them up, the oldest first. Attempts
start anew and the history goes along. What came back three times or more is
skipped, unless --again is given. Ctrl-C stops after the letter at hand.`,
		Example: `  drydock deadletter redrive quotes.alerts.4711
  drydock deadletter redrive --stream quotes --reason timeout --dry-run
  drydock deadletter redrive --consumer mailer --rate 5/s --yes
  drydock deadletter redrive --all`,
		ValidArgsFunction: completeLetters(o),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			redrive.IDs = args
			if redrive.Rate, err = parseRate(rate); err != nil {
				return err
			}
			if err := checkSelection(cmd, args, redrive.Filter, redrive.All); err != nil {
				return err
			}
			if !yes && !redrive.DryRun {
				if err := confirm(cmd, o, "Send", "again", args, redrive.Filter, 2); err != nil {
					return err
				}
			}
			verb := "sent again"
			if redrive.DryRun {
				verb = "would be sent again"
			}
			return o.follow(cmd, verb, len(args) > 0, o.client().Redrive(cmd.Context(), redrive))
		},
	}
	filterFlags(cmd, &redrive.Filter)
	cmd.Flags().BoolVar(&redrive.All, "all", false, "every letter")
	cmd.Flags().StringVar(&rate, "rate", "", "how many a second at most, as 10 or 10/s (default: as fast as it goes)")
	cmd.Flags().BoolVar(&redrive.DryRun, "dry-run", false, "tell what would be done, and do nothing")
	cmd.Flags().BoolVar(&redrive.Again, "again", false, "also what came back three times or more")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

func parseRate(text string) (float64, error) {
	if text == "" {
		return 0, nil
	}
	rate, err := strconv.ParseFloat(strings.TrimSuffix(text, "/s"), 64)
	if err != nil || !(rate > 0 && rate <= 100_000) {
		return 0, fmt.Errorf("--rate %s is not a number of letters a second, above 0 and up to 100000, like 10/s", text)
	}
	return rate, nil
}

// checkSelection wants exactly one of IDs, a filter and --all.
func checkSelection(cmd *cobra.Command, ids []string, filter deadletter.Filter, all bool) error {
	given := 0
	for _, one := range []bool{len(ids) > 0, filter != deadletter.Filter{}, all} {
		if one {
			given++
		}
	}
	switch given {
	case 0:
		return fmt.Errorf("which letters? Name their IDs, or a filter like --stream, or --all; see %s --help", cmd.CommandPath())
	case 1:
		return nil
	}
	return errors.New("give either IDs, or a filter, or --all")
}

// confirm asks before letters are touched, if there are so many or more. Where
// nobody can be asked it is an error.
func confirm(cmd *cobra.Command, o *letterOptions, verb, after string, ids []string, filter deadletter.Filter, from int) error {
	count := len(ids)
	if count == 0 {
		summary, err := o.client().Summary(cmd.Context(), filter)
		if err != nil {
			return err
		}
		count = summary.Total
	}
	if count < from {
		return nil
	}
	question := strings.TrimSpace(fmt.Sprintf("%s %d dead %s %s", verb, count, plural(count, "letter"), after))
	in, ok := cmd.InOrStdin().(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return fmt.Errorf("%s? Nobody is there to ask: add --yes", question)
	}
	return ask(in, cmd.ErrOrStderr(), question)
}

// ask puts a question; anything but yes is an error.
func ask(in io.Reader, out io.Writer, question string) error {
	fmt.Fprintf(out, "%s? [y/N] ", question)
	answer, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return errors.New("nothing was done")
}

func plural(count int, word string) string {
	if count == 1 {
		return word
	}
	return word + "s"
}

// follow shows how a change of many letters goes, and what came of it. Those
// that were named one by one must not be skipped.
func (o *letterOptions) follow(cmd *cobra.Command, verb string, named bool, lines iter.Seq2[deadletter.Progress, error]) error {
	out, bar := cmd.OutOrStdout(), (*progressbar.ProgressBar)(nil)
	var last deadletter.Progress
	for line, err := range lines {
		if err != nil {
			clearBar(bar)
			return stopped(cmd.Context(), last, verb, err)
		}
		if bar == nil && !o.json {
			bar = letterBar(cmd.ErrOrStderr(), line.Total)
		}
		last = line
		if o.json {
			if err := json.NewEncoder(out).Encode(line); err != nil {
				return err
			}
			continue
		}
		if bar != nil && line.ID != "" {
			_ = bar.Add(1)
		}
		if line.Why != "" {
			clearBar(bar)
			fmt.Fprintf(out, "%s: %s\n", line.ID, line.Why)
		}
	}
	clearBar(bar)
	if !o.json {
		fmt.Fprintf(out, "%d %s, %d skipped, %d failed\n", last.Done, verb, last.Skipped, last.Failed)
	}
	switch left := last.Total - last.Done - last.Skipped - last.Failed; {
	case last.Stopped != "":
		return fmt.Errorf("stopped with %d left: %s", left, last.Stopped)
	case last.Failed > 0, named && last.Skipped > 0:
		return errSaid
	}
	return nil
}

// stopped says how far a change was when it ended early.
func stopped(ctx context.Context, last deadletter.Progress, verb string, err error) error {
	if ctx.Err() != nil {
		err = errors.New("stopped")
	}
	if last.Total == 0 {
		return err
	}
	return fmt.Errorf("%w; %d of %d %s", err, last.Done, last.Total, verb)
}

// letterBar shows progress on a terminal; nil where there is none.
func letterBar(out io.Writer, total int) *progressbar.ProgressBar {
	if file, ok := out.(*os.File); !ok || total < 2 || !term.IsTerminal(int(file.Fd())) {
		return nil
	}
	return progressbar.NewOptions(total,
		progressbar.OptionSetWriter(out),
		progressbar.OptionSetDescription("letters"),
		progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionSetItsString("letters"),
		progressbar.OptionThrottle(50*time.Millisecond),
		progressbar.OptionClearOnFinish(),
	)
}

func clearBar(bar *progressbar.ProgressBar) {
	if bar != nil {
		_ = bar.Clear()
	}
}

func purgeCommand(o *letterOptions) *cobra.Command {
	var filter deadletter.Filter
	var all, dryRun, yes bool
	cmd := &cobra.Command{
		Use:   "purge ID... | --all | FILTER",
		Short: "Delete dead letters and their events, for good",
		Example: `  drydock deadletter purge quotes.alerts.4711
  drydock deadletter purge --consumer mailer --older-than 30d --dry-run
  drydock deadletter purge --all --yes`,
		ValidArgsFunction: completeLetters(o),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkSelection(cmd, args, filter, all); err != nil {
				return err
			}
			if !yes && !dryRun {
				if err := confirm(cmd, o, "Delete", "for good", args, filter, 1); err != nil {
					return err
				}
			}
			lines := o.client().DeleteMany(cmd.Context(), filter, all, dryRun)
			if len(args) > 0 {
				lines = o.deleteEach(cmd.Context(), args, dryRun)
			}
			verb := "deleted"
			if dryRun {
				verb = "would be deleted"
			}
			return o.follow(cmd, verb, len(args) > 0, lines)
		},
	}
	filterFlags(cmd, &filter)
	cmd.Flags().BoolVar(&all, "all", false, "every letter")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "tell what would be deleted, and do nothing")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

// deleteEach deletes the letters that were named, and tells how it goes as the
// API does for many.
func (o *letterOptions) deleteEach(ctx context.Context, ids []string, dryRun bool) iter.Seq2[deadletter.Progress, error] {
	return func(yield func(deadletter.Progress, error) bool) {
		progress := deadletter.Progress{Total: len(ids)}
		for _, id := range ids {
			progress.ID, progress.Why = id, ""
			_, err := o.client().Get(ctx, id)
			if err == nil && !dryRun {
				err = o.client().Delete(ctx, id)
			}
			var problem *deadletter.Problem
			switch {
			case err == nil:
				progress.Done++
			case errors.As(err, &problem):
				progress.Failed++
				progress.Why = problem.Error()
			default:
				yield(progress, err)
				return
			}
			if !yield(progress, nil) {
				return
			}
		}
		progress.ID, progress.Why, progress.Finished = "", "", true
		yield(progress, nil)
	}
}
