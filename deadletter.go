package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/drydock/drydock/operate/deadletter"
)

const (
	// deadlettersAPI is where drydock up has the API of dead letters.
	deadlettersAPI = "http://" + deadlettersListen
	// maxLetterData bounds what is read as a letter's new data, in bytes.
	maxLetterData = 1 << 20
	completeWait  = 2 * time.Second
	completeCount = 100
)

// letterOptions are what every command about dead letters has.
type letterOptions struct {
	api    string
	json   bool
	getenv func(string) string
}

func (o *letterOptions) client() *deadletter.Client { return deadletter.New(o.api) }

// deadletterCommand is drydock deadletter.
func deadletterCommand(getenv func(string) string) *cobra.Command {
	o := &letterOptions{getenv: getenv}
	cmd := &cobra.Command{
		Use:     "deadletter",
		GroupID: groupPeople,
		Short:   "Look at the events that were given up, mend them, and send them again",
		Long: `A dead letter is an event that a consumer gave up: it is kept whole, with the
reason, until you send it again or remove it. An event is sent again to the
consumer that gave it up, and to no other.`,
		Example: `  drydock deadletter list --summary                            how many, of what
  drydock deadletter list --stream quotes --newer-than 1h
  drydock deadletter show quotes.alerts.4711
  drydock deadletter edit quotes.alerts.4711 --redrive         mend its data and send it again
  drydock deadletter redrive --reason "connection refused" --rate 10/s
  drydock deadletter purge --consumer mailer --older-than 30d`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.PersistentFlags().StringVar(&o.api, "api", deadlettersAPI, "base URL of the API of dead letters")
	cmd.PersistentFlags().BoolVar(&o.json, "json", false, "print JSON, for programs")
	cmd.AddCommand(listCommand(o), showCommand(o), redriveCommand(o), editCommand(o), purgeCommand(o))
	return cmd
}

// filterFlags are the flags that select letters.
func filterFlags(cmd *cobra.Command, filter *deadletter.Filter) {
	flags := cmd.Flags()
	flags.StringVar(&filter.Stream, "stream", "", "letters of this stream only")
	flags.StringVar(&filter.Consumer, "consumer", "", "letters of this consumer only")
	flags.StringVar(&filter.Reason, "reason", "", "letters with these words in their reason or errors")
	flags.StringVar(&filter.OlderThan, "older-than", "", "letters given up before: so long ago (15m, 36h, 7d), or a time")
	flags.StringVar(&filter.NewerThan, "newer-than", "", "letters given up after: so long ago, or a time")
}

// completeLetters offers the IDs of letters to the shell.
func completeLetters(o *letterOptions) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		ctx := cmd.Context()
		if ctx == nil {
			ctx = context.Background()
		}
		ctx, cancel := context.WithTimeout(ctx, completeWait)
		defer cancel()
		var ids []cobra.Completion
		for letter, err := range o.client().List(ctx, deadletter.Filter{}) {
			if err != nil || len(ids) == completeCount {
				break
			}
			if strings.HasPrefix(letter.ID, begun) {
				ids = append(ids, cobra.CompletionWithDesc(letter.ID, letter.Reason))
			}
		}
		return ids, cobra.ShellCompDirectiveNoFileComp
	}
}

func printJSON(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

func listCommand(o *letterOptions) *cobra.Command {
	var filter deadletter.Filter
	var limit int
	var summary bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List dead letters, the oldest first, or count them",
		Example: `  drydock deadletter list --summary
  drydock deadletter list --reason timeout --newer-than 1h
  drydock deadletter list --limit 0 --json | jq -r '.[].last_error' | sort | uniq -c`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 0 {
				return fmt.Errorf("--limit %d is not a number from 0, which means all", limit)
			}
			if summary {
				return printCounts(cmd, o, filter)
			}
			return printLetters(cmd, o, filter, limit)
		},
	}
	filterFlags(cmd, &filter)
	cmd.Flags().IntVar(&limit, "limit", 50, "how many at most; 0 for all")
	cmd.Flags().BoolVar(&summary, "summary", false, "count them by stream, consumer and reason instead")
	return cmd
}

func printCounts(cmd *cobra.Command, o *letterOptions, filter deadletter.Filter) error {
	summary, err := o.client().Summary(cmd.Context(), filter)
	if err != nil {
		return err
	}
	if o.json {
		return printJSON(cmd.OutOrStdout(), summary)
	}
	return deadletter.PrintSummary(cmd.OutOrStdout(), summary, time.Now())
}

func printLetters(cmd *cobra.Command, o *letterOptions, filter deadletter.Filter, limit int) error {
	letters, more := []deadletter.Letter{}, false
	for letter, err := range o.client().List(cmd.Context(), filter) {
		if err != nil {
			return err
		}
		if more = limit > 0 && len(letters) == limit; more {
			break
		}
		letters = append(letters, letter)
	}
	out := cmd.OutOrStdout()
	if o.json {
		return printJSON(out, letters)
	}
	if len(letters) == 0 {
		_, err := fmt.Fprintln(out, "There are no such dead letters.")
		return err
	}
	if err := deadletter.PrintTable(out, letters, time.Now(), terminalWidth(out)); err != nil || !more {
		return err
	}
	_, err := fmt.Fprintf(out, "There are more: --limit 0 lists all, --summary counts them.\n")
	return err
}

// terminalWidth is 0 where there is no terminal.
func terminalWidth(out io.Writer) int {
	if file, ok := out.(*os.File); ok {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil {
			return width
		}
	}
	return 0
}

func showCommand(o *letterOptions) *cobra.Command {
	var data bool
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show a dead letter: why it was given up, its history, and the whole event",
		Example: `  drydock deadletter show quotes.alerts.4711
  drydock deadletter show quotes.alerts.4711 --data > event.json`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeLetters(o),
		RunE: func(cmd *cobra.Command, args []string) error {
			letter, err := o.client().Get(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			switch out := cmd.OutOrStdout(); {
			case data:
				raw, err := letter.Bytes()
				if err == nil {
					_, err = out.Write(raw)
				}
				return err
			case o.json:
				return printJSON(out, letter)
			default:
				return deadletter.PrintLetter(out, letter, time.Now())
			}
		},
	}
	cmd.Flags().BoolVar(&data, "data", false, "print the event's data alone, byte for byte")
	return cmd
}

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

func editCommand(o *letterOptions) *cobra.Command {
	var from string
	var redrive, again bool
	cmd := &cobra.Command{
		Use:   "edit ID",
		Short: "Mend the data of a dead letter in your editor, or replace it by a file",
		Long: `Open the event's data in $VISUAL, $EDITOR or vi, and keep what you save. It is
refused when somebody else changed the letter meanwhile.`,
		Example: `  drydock deadletter edit quotes.alerts.4711 --redrive
  drydock deadletter edit quotes.alerts.4711 --data fixed.json
  drydock deadletter show ID --data | jq '.price = 12.5' | drydock deadletter edit ID --data -`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeLetters(o),
		RunE: func(cmd *cobra.Command, args []string) error {
			changed, err := o.edit(cmd, args[0], from)
			if err != nil {
				return err
			}
			if !redrive {
				return nil
			}
			if !changed {
				return errors.New("it is not sent again without a change; `drydock deadletter redrive` does that")
			}
			return o.follow(cmd, "sent again", true, o.client().Redrive(cmd.Context(), deadletter.Redrive{IDs: args, Again: again}))
		},
	}
	cmd.Flags().StringVar(&from, "data", "", "take the new data from this file, or from the standard input with -")
	cmd.Flags().BoolVar(&redrive, "redrive", false, "send the event again once it is mended")
	cmd.Flags().BoolVar(&again, "again", false, "with --redrive: even if it came back three times or more")
	return cmd
}

// edit changes a letter's data; changed is false when it is the same as before.
func (o *letterOptions) edit(cmd *cobra.Command, id, from string) (changed bool, err error) {
	letter, err := o.client().Get(cmd.Context(), id)
	if err != nil {
		return false, err
	}
	before, err := letter.Bytes()
	if err != nil {
		return false, fmt.Errorf("read the data of %s: %w", id, err)
	}
	after, written, err := o.newData(cmd, letter, before, from)
	if err != nil {
		return false, err
	}
	if bytes.Equal(before, after) {
		os.Remove(written)
		fmt.Fprintln(cmd.ErrOrStderr(), "The data is as before: nothing was changed.")
		return false, nil
	}
	edited, err := o.client().Edit(cmd.Context(), id, letter.Revision, after)
	if err != nil && written != "" {
		return false, fmt.Errorf("%w What you wrote is in %s", err, written)
	}
	if err != nil {
		return false, err
	}
	os.Remove(written)
	if o.json {
		return true, printJSON(cmd.OutOrStdout(), edited)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: edited, %d bytes instead of %d\n", id, len(after), len(before))
	return true, err
}

// newData reads a file or the standard input, or lets people edit the data:
// then written is the temporary file with what they wrote.
func (o *letterOptions) newData(cmd *cobra.Command, letter deadletter.Letter, before []byte, from string) (data []byte, written string, err error) {
	if from == "-" {
		if data, err = readBounded(cmd.InOrStdin()); err != nil {
			err = fmt.Errorf("read the standard input: %w", err)
		}
		return data, "", err
	}
	if from == "" {
		if written, err = o.runEditor(cmd, letter, before); err != nil {
			return nil, "", err
		}
		from = written
	}
	source, err := os.Open(from)
	if err != nil {
		return nil, "", err
	}
	defer source.Close()
	if data, err = readBounded(source); err != nil {
		err = fmt.Errorf("read %s: %w", from, err)
	}
	return data, written, err
}

func readBounded(source io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(source, maxLetterData+1))
	if len(data) > maxLetterData {
		err = fmt.Errorf("it is more than the %d bytes that a letter takes", maxLetterData)
	}
	return data, err
}

// runEditor opens the data in the editor, and returns the file that only this
// user can read.
func (o *letterOptions) runEditor(cmd *cobra.Command, letter deadletter.Letter, data []byte) (name string, err error) {
	command := strings.Fields(firstOf(o.getenv("VISUAL"), o.getenv("EDITOR"), "vi"))
	file, err := os.CreateTemp("", "drydock-*"+extension(letter.Event.ContentType))
	if err != nil {
		return "", fmt.Errorf("edit %s: %w", letter.ID, err)
	}
	defer func() {
		if err != nil {
			os.Remove(file.Name())
		}
	}()
	if _, err = file.Write(data); err == nil {
		err = file.Close()
	}
	if err != nil {
		return "", fmt.Errorf("edit %s: %w", letter.ID, err)
	}
	editor := exec.CommandContext(cmd.Context(), command[0], append(command[1:], file.Name())...)
	editor.Stdin, editor.Stdout, editor.Stderr = cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()
	if err = editor.Run(); err != nil {
		return "", fmt.Errorf("edit %s with %s: %w; name another editor in EDITOR, or give --data FILE", letter.ID, command[0], err)
	}
	return file.Name(), nil
}

// firstOf returns the first text that has words.
func firstOf(texts ...string) string {
	for _, text := range texts {
		if strings.TrimSpace(text) != "" {
			return text
		}
	}
	return ""
}

// extension lets editors know JSON.
func extension(contentType string) string {
	if strings.Contains(contentType, "json") {
		return ".json"
	}
	return ""
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
