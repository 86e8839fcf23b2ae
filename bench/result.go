package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// Result is one row: of the table, and of bench.json.
type Result struct {
	Suite string  `json:"suite"`
	Name  string  `json:"name"`
	Value float64 `json:"value"` // the median of the rounds
	Unit  string  `json:"unit"`
	Low   float64 `json:"low,omitempty"` // the rounds' smallest and largest: how noisy it was
	High  float64 `json:"high,omitempty"`

	// Against names another row; Ratio is the median of the rounds' own ratios to it.
	Against string  `json:"against,omitempty"`
	Ratio   float64 `json:"ratio,omitempty"`

	// Goal is one of the ratio where there is one, else of the value.
	Goal string `json:"goal,omitempty"`
	Met  *bool  `json:"met,omitempty"`

	// Missing says why there is no value.
	Missing string `json:"missing,omitempty"`
}

// result is the row of what the rounds gave.
func result(name, unit string, rounds []float64) Result {
	return Result{Name: name, Unit: unit, Value: median(rounds), Low: slices.Min(rounds), High: slices.Max(rounds)}
}

// missing is the row of what could not be measured.
func missing(name string, why error) Result { return Result{Name: name, Missing: why.Error()} }

// against compares the rounds with those of another row. Round by round, so
// that a machine that drifts does so for both.
func (r Result) against(name string, rounds, others []float64) Result {
	ratios := make([]float64, len(rounds))
	for i := range rounds {
		ratios[i] = rounds[i] / others[i]
	}
	r.Against, r.Ratio = name, median(ratios)
	return r
}

// atLeast sets a goal to reach.
func (r Result) atLeast(goal float64) Result {
	return r.goal("≥", goal, r.judged() >= goal)
}

// below sets a goal to stay below.
func (r Result) below(goal float64) Result {
	return r.goal("<", goal, r.judged() < goal)
}

func (r Result) goal(sign string, goal float64, met bool) Result {
	r.Goal, r.Met = sign+" "+strconv.FormatFloat(goal, 'f', -1, 64), &met
	return r
}

// judged is what a goal is held against.
func (r Result) judged() float64 {
	if r.Against != "" {
		return r.Ratio
	}
	return r.Value
}

// printTable prints the results for people.
func printTable(out io.Writer, results []Result) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "suite\twhat\tmedian\trounds\tratio\tgoal\t")
	missed := 0
	var remarks strings.Builder
	for _, r := range results {
		if r.Missing != "" {
			fmt.Fprintf(table, "%s\t%s\tnot measured\t\t\t\t\n", r.Suite, r.Name)
			fmt.Fprintf(&remarks, "Not measured: %s: %s\n", r.Name, r.Missing)
			continue
		}
		spread, ratio, goal := "", "", ""
		if r.Low != r.High {
			spread = number(r.Low) + "–" + number(r.High)
		}
		if r.Against != "" {
			ratio = fmt.Sprintf("%.3f of %s", r.Ratio, r.Against)
		}
		if r.Met != nil {
			goal = r.Goal + ": met"
			if !*r.Met {
				goal = r.Goal + ": MISSED"
				missed++
			}
		}
		fmt.Fprintf(table, "%s\t%s\t%s %s\t%s\t%s\t%s\t\n", r.Suite, r.Name, number(r.Value), r.Unit, spread, ratio, goal)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if missed > 0 {
		fmt.Fprintf(&remarks, "Goals missed: %d. Where others use the machine too (see its cores), measure again.\n", missed)
	}
	_, err := io.WriteString(out, remarks.String())
	return err
}

// number prints three digits or more.
func number(value float64) string {
	switch {
	case value >= 100:
		return strconv.FormatFloat(value, 'f', 0, 64)
	case value >= 10:
		return strconv.FormatFloat(value, 'f', 1, 64)
	}
	return strconv.FormatFloat(value, 'f', 2, 64)
}

// writeJSON writes the results for programs.
func writeJSON(path string, results []Result) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(results); err != nil {
		return err
	}
	return os.WriteFile(path, text.Bytes(), 0o644)
}

// median is the middle value, or the mean of the two in the middle; 0 of none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// percentile is the nearest-rank percentile in milliseconds; 0 of none.
func percentile(values []time.Duration, percent int) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	rank := max(1, (len(sorted)*percent+99)/100)
	return float64(sorted[rank-1]) / float64(time.Millisecond)
}
