//go:build !image

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/drydock/drydock/operate/deploy"
)

// deployPrinter tells of the steps of a deployment: on a terminal in a line per
// job, which changes, elsewhere in a line per step.
type deployPrinter struct {
	out   io.Writer
	json  bool
	width int // of the terminal; 0 if it is none

	last  []deploy.Event // of each job
	drawn int            // lines on the terminal
}

func newDeployPrinter(out io.Writer, json bool) *deployPrinter {
	return &deployPrinter{out: out, json: json, width: terminalWidth(out)}
}

// stepJSON is a step as programs read it.
type stepJSON struct {
	Job     string       `json:"job"`
	State   deploy.State `json:"state"`
	Version uint64       `json:"version"`
	Detail  string       `json:"detail,omitempty"`
	Seconds float64      `json:"seconds"`
}

func (p *deployPrinter) event(e deploy.Event) {
	i := slices.IndexFunc(p.last, func(known deploy.Event) bool { return known.Job == e.Job })
	if i < 0 {
		i, p.last = len(p.last), append(p.last, e)
	}
	p.last[i] = e
	switch {
	case p.json:
		json.NewEncoder(p.out).Encode(stepJSON{e.Job, e.State, e.Version, e.Detail, math.Round(1000*e.Took.Seconds()) / 1000})
	case p.width > 0:
		p.draw()
	default:
		fmt.Fprintln(p.out, p.line(e))
	}
}

// line tells of a step; what failed is told in full at the end.
func (p *deployPrinter) line(e deploy.Event) string {
	detail, _, _ := strings.Cut(e.Detail, "\n")
	if e.State == deploy.Healthy || e.State == deploy.Registered {
		detail = strings.TrimSpace(fmt.Sprintf("version %d  %s", e.Version, detail))
	}
	return strings.TrimRight(printable(fmt.Sprintf("%6.1f s  %-12s  %-10s  %s", e.Took.Seconds(), e.Job, e.State, detail)), " ")
}

// draw draws the lines of all jobs over those that were there.
func (p *deployPrinter) draw() {
	var text strings.Builder
	if p.drawn > 0 {
		fmt.Fprintf(&text, "\x1b[%dA", p.drawn)
	}
	for _, e := range p.last {
		line := []rune(p.line(e))
		fmt.Fprintf(&text, "\r\x1b[2K%s\n", string(line[:min(len(line), p.width-1)]))
	}
	p.drawn = len(p.last)
	io.WriteString(p.out, text.String())
}

// done says how it ended.
func (p *deployPrinter) done(took time.Duration, detached bool) error {
	if p.json {
		return nil
	}
	changed, waiting := 0, 0
	for _, e := range p.last {
		if e.State != deploy.Unchanged {
			changed++
		}
		if e.State == deploy.Promotable {
			waiting++
		}
	}
	text := "All of it is healthy"
	switch {
	case detached:
		text = "Nomad has all of it"
	case waiting > 0:
		text = fmt.Sprintf("All of it is healthy, and canaries of %d jobs wait to be promoted", waiting)
	case changed == 0:
		text = "Nothing has changed: all of it is healthy"
	}
	_, err := fmt.Fprintf(p.out, "%s, after %.1f s.\n", text, took.Seconds())
	return err
}

// printPlan prints what would be deployed.
func printPlan(out io.Writer, changes []deploy.Change) error {
	var text strings.Builder
	for _, c := range changes {
		fmt.Fprintf(&text, "%-12s  %s\n", c.Job, c.Kind)
		if len(c.Items) > 0 {
			fmt.Fprintf(&text, "    writes the items %s\n", strings.Join(c.Items, ", "))
		}
		for _, difference := range c.Differences {
			fmt.Fprintf(&text, "    %s\n", difference)
		}
		if c.Unplaced != "" {
			fmt.Fprintf(&text, "    has no place now: %s\n", c.Unplaced)
		}
		if c.Warnings != "" {
			fmt.Fprintf(&text, "    warning: %s\n", c.Warnings)
		}
	}
	_, err := io.WriteString(out, text.String())
	return err
}
