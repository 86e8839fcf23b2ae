package deadletter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// PrintTable writes letters, one a line, each cut to the width in characters;
// 0 leaves them whole.
func PrintTable(out io.Writer, letters []Letter, now time.Time, width int) error {
	var buffer bytes.Buffer
	table := tabwriter.NewWriter(&buffer, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "AGE\tID\tREASON\tATTEMPTS\tREDRIVEN\tLAST ERROR")
	for _, l := range letters {
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%d\t%s\n", Age(now.Sub(l.At)), l.ID, line(l.Reason), l.Attempts, l.Redriven, line(l.LastError))
	}
	table.Flush()
	return writeCut(out, buffer.String(), width)
}

// PrintSummary writes how many letters there are.
func PrintSummary(out io.Writer, summary Summary, now time.Time) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "LETTERS\tSTREAM\tCONSUMER\tREASON\tOLDEST\tNEWEST")
	for _, g := range summary.Groups {
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%s\n", g.Count, g.Stream, g.Consumer, line(g.Reason), Age(now.Sub(g.Oldest)), Age(now.Sub(g.Newest)))
	}
	fmt.Fprintf(table, "%d\tin all\n", summary.Total)
	return table.Flush()
}

// PrintLetter writes all that is known of a letter.
func PrintLetter(out io.Writer, l Letter, now time.Time) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(table, "%s\t%s\n", name, strings.ReplaceAll(plain(value), "\n", "\n\t"))
		}
	}
	row("Letter", l.ID)
	row("Given up", at(l.At, now))
	row("by", fmt.Sprintf("%s, after %s", l.Consumer, attempts(l.Attempts)))
	row("Reason", l.Reason)
	row("Last error", l.LastError)
	if l.FirstError != l.LastError {
		row("First error", l.FirstError)
	}
	if !l.Began.IsZero() {
		row("since", at(l.Began, now))
	}
	row("Topic", l.Topic)
	row("Event", l.Event.ID)
	row("Type", l.Event.Type)
	row("Source", l.Event.Source)
	row("Subject", l.Event.Subject)
	row("Time", at(l.Event.Time, now))
	row("Trace", l.Event.TraceParent)
	for i, change := range l.History {
		name := ""
		if i == 0 {
			name = "History"
		}
		text := at(change.At, now) + ": " + change.Kind
		if change.Reason != "" {
			text += fmt.Sprintf(" %s, which was %s after %s: %s", change.Letter, change.Reason, attempts(change.Attempts), change.Last)
		}
		fmt.Fprintf(table, "%s\t%s\n", name, line(text))
	}
	row("Data", fmt.Sprintf("%s, %d bytes", l.Event.ContentType, l.Event.Size))
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\n%s\n", strings.TrimRight(readable(l), "\n"))
	return err
}

// readable writes data for people: JSON indented, and what is no text as the API gives it.
func readable(l Letter) string {
	if l.Encoding != "text" {
		return l.Encoding + ": " + l.Data
	}
	var indented bytes.Buffer
	if json.Indent(&indented, []byte(l.Data), "", "  ") == nil {
		return plain(indented.String())
	}
	return plain(l.Data)
}

func attempts(count int) string {
	if count == 1 {
		return "1 attempt"
	}
	return fmt.Sprintf("%d attempts", count)
}

func at(t, now time.Time) string {
	return fmt.Sprintf("%s, %s ago", t.Local().Format(time.DateTime), Age(now.Sub(t)))
}

// Age writes a duration in its largest unit, as tables have it.
func Age(d time.Duration) string {
	switch d = max(d, 0); {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours())/24)
}

// plain takes out of a stranger's text what would steer a terminal.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return '�'
	}, text)
}

// line writes a stranger's text in one line.
func line(text string) string { return strings.Join(strings.Fields(plain(text)), " ") }

// writeCut writes lines of at most so many characters; 0 leaves them whole.
func writeCut(out io.Writer, text string, width int) error {
	for each := range strings.Lines(text) {
		each = strings.TrimRight(each, " \n")
		if characters := []rune(each); width > 0 && len(characters) > width {
			each = string(characters[:width-1]) + "…"
		}
		if _, err := fmt.Fprintln(out, each); err != nil {
			return err
		}
	}
	return nil
}
