//go:build !image

package main

import (
	"bufio"
	"cmp"
	crypto "crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/drydock/drydock/emulator/s3/iam"
)

// everything is the policy of keys that have none.
const everything = "everything"

// storedKey is what the store tells of a key.
type storedKey struct {
	Name   string      `json:"name"`
	Policy *iam.Policy `json:"policy"`
	Fixed  bool        `json:"fixed,omitempty"`
}

// may says in a word what a key may do.
func (k storedKey) may() string {
	if k.Policy == nil {
		return everything
	}
	return cmp.Or(k.Policy.Name(), "what its own policy says")
}

func s3KeysCommand(o *storeOptions) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "Make, list, change and remove access keys while the store runs",
		Long: `Make, list, change and remove access keys while the store runs; they are kept in its
folder. What a key may do is decided at every request: once its policy is narrowed, or
it is removed, so are the links that it has signed.

A POLICY is one that has a name, ` + strings.Join(policyNames(), ", ") + `,
or a file with a policy in the language of AWS IAM; - is the standard input.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(s3KeysListCommand(o), s3KeysCreateCommand(o), s3KeysSetPolicyCommand(o), s3KeysRemoveCommand(o))
	return cmd
}

// policyNames are those that --policy takes.
func policyNames() []string { return append(iam.Names(), everything) }

func s3KeysListCommand(o *storeOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the access keys and what each may do, never their secrets",
		Example: `  drydock s3 keys list
  drydock s3 keys list --json | jq '.[] | select(.name == "images").policy'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var keys []storedKey
			if err := o.administrate(cmd.Context(), http.MethodGet, "", nil, &keys); err != nil {
				return err
			}
			if o.json {
				return printJSON(cmd.OutOrStdout(), keys)
			}
			table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 3, ' ', 0)
			fmt.Fprintln(table, "KEY\tMAY DO\tFROM")
			for _, key := range keys {
				from := "drydock s3 keys create"
				if key.Fixed {
					from = "drydock up"
				}
				fmt.Fprintf(table, "%s\t%s\t%s\n", key.Name, key.may(), from)
			}
			return table.Flush()
		},
	}
}

func s3KeysCreateCommand(o *storeOptions) *cobra.Command {
	var policy string
	var given bool
	cmd := &cobra.Command{
		Use:   "create NAME --policy POLICY",
		Short: "Make an access key, and print its secret this once",
		Example: `  drydock s3 keys create laptop --policy readwrite
  drydock s3 keys create reports --policy reports.json --json
  pass show reports | drydock s3 keys create reports --policy readonly --secret-stdin`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if given && policy == "-" {
				return errors.New("the standard input has either the policy or the secret: give the policy in a file")
			}
			document, err := keyPolicy(policy, cmd.InOrStdin())
			if err != nil {
				return fmt.Errorf("--policy %w", err)
			}
			secret := crypto.Text()
			if given {
				if secret, err = readSecret(cmd.InOrStdin()); err != nil {
					return err
				}
			}
			if err := o.administrate(cmd.Context(), http.MethodPut, url.PathEscape(args[0]), map[string]any{"secret": secret, "policy": document}, nil); err != nil {
				return fmt.Errorf("create key %s: %w", args[0], err)
			}
			return printKey(cmd.OutOrStdout(), o.json, args[0], secret, given)
		},
	}
	cmd.Flags().StringVar(&policy, "policy", "", "what it may do: `POLICY` is a name, a file or - (required)")
	cmd.Flags().BoolVar(&given, "secret-stdin", false, "take the secret from the standard input (default: a random one)")
	if err := cmd.MarkFlagRequired("policy"); err != nil {
		panic(err) // there is no such flag
	}
	complete(cmd, "policy", policyNames()...)
	return cmd
}

// printKey tells of a new key. A secret that was given is not told again.
func printKey(out io.Writer, asJSON bool, name, secret string, given bool) error {
	if given {
		secret = ""
	}
	if asJSON {
		return printJSON(out, struct {
			AccessKey string `json:"accessKey"`
			SecretKey string `json:"secretKey,omitempty"`
		}{name, secret})
	}
	fmt.Fprintf(out, "access key  %s\n", name)
	if given {
		return nil
	}
	_, err := fmt.Fprintf(out, "secret key  %s\n\nThe secret is not shown again.\n", secret)
	return err
}

// readSecret reads a line.
func readSecret(stdin io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(stdin, maxPolicyBytes)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return strings.TrimRight(line, "\r\n"), nil
}

func s3KeysSetPolicyCommand(o *storeOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "set-policy NAME POLICY",
		Short: "Change what an access key may do, from its next request on",
		Example: `  drydock s3 keys set-policy laptop readonly
  drydock s3 keys set-policy laptop everything
  drydock s3 keys set-policy reports reports.json`,
		Args: cobra.ExactArgs(2),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
			switch len(args) {
			case 0:
				return o.completeKeys(cmd, args, begun)
			case 1:
				return policyNames(), cobra.ShellCompDirectiveDefault
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			document, err := keyPolicy(args[1], cmd.InOrStdin())
			if err != nil {
				return err
			}
			if err := o.administrate(cmd.Context(), http.MethodPut, url.PathEscape(args[0])+"/policy", document, nil); err != nil {
				return fmt.Errorf("set policy of key %s: %w", args[0], err)
			}
			return o.done(cmd, "Key %s may do %s from now on.\n", args[0], storedKey{Policy: document}.may())
		},
	}
}

func s3KeysRemoveCommand(o *storeOptions) *cobra.Command {
	return &cobra.Command{
		Use:               "remove NAME...",
		Short:             "Remove access keys, and with them the links that they have signed",
		Example:           "  drydock s3 keys remove laptop",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: o.completeKeys,
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, name := range args {
				if err := o.administrate(cmd.Context(), http.MethodDelete, url.PathEscape(name), nil, nil); err != nil {
					return fmt.Errorf("remove key %s: %w", name, err)
				}
				if err := o.done(cmd, "Key %s is removed.\n", name); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// done tells people what has been done; programs see that it did not fail.
func (o *storeOptions) done(cmd *cobra.Command, format string, args ...any) error {
	if o.json {
		return nil
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), format, args...)
	return err
}

// completeKeys offers the keys that can be changed to the shell.
func (o *storeOptions) completeKeys(cmd *cobra.Command, given []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var keys []storedKey
	if o.administrate(cmd.Context(), http.MethodGet, "", nil, &keys) != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var names []cobra.Completion
	for _, key := range keys {
		if !key.Fixed && !slices.Contains(given, key.Name) {
			names = append(names, key.Name)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// keyPolicy is the policy that an argument names; nil is everything.
func keyPolicy(given string, stdin io.Reader) (*iam.Policy, error) {
	if given == everything {
		return nil, nil
	}
	if named, ok := iam.Named(given); ok {
		return named, nil
	}
	document, err := readPolicy(given, stdin)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is neither a policy nor a file: policies are %s", given, strings.Join(policyNames(), ", "))
	}
	if err != nil {
		return nil, err
	}
	p, err := iam.Parse(document)
	if err != nil {
		return nil, fmt.Errorf("%s is no policy: %w", given, err)
	}
	return p, nil
}
