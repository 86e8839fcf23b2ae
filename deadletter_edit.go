package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"

	"github.com/drydock/drydock/operate/deadletter"
)

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
