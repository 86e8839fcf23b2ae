package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

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
