//go:build !image

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/minio/minio-go/v7/pkg/policy"
	"github.com/spf13/cobra"

	"github.com/drydock/drydock/emulator/s3/iam"
)

// access is what a word lets everybody do, in the words of mc anonymous.
var access = map[string]policy.BucketPolicy{
	"download": policy.BucketPolicyReadOnly,
	"upload":   policy.BucketPolicyWriteOnly,
	"public":   policy.BucketPolicyReadWrite,
}

func s3PolicyCommand(o *storeOptions) *cobra.Command {
	words := slices.Sorted(maps.Keys(access))
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "What everybody may do with a bucket, without an access key",
		Long: `What everybody may do with a bucket, without an access key: nothing, as long as it has
no policy. Keys do what their own policies say.

A POLICY is ` + strings.Join(words, ", ") + `, as in mc anonymous set, or a file with a policy in the
language of AWS IAM, in which each statement has a Principal; - is the standard input.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	show := &cobra.Command{
		Use:     "show BUCKET",
		Short:   "Print the policy of a bucket",
		Example: "  drydock s3 policy show uploads",
		RunE:    func(cmd *cobra.Command, args []string) error { return o.showPolicy(cmd, args[0]) },
	}
	set := &cobra.Command{
		Use:   "set BUCKET POLICY",
		Short: "Let everybody do something with a bucket",
		Example: `  drydock s3 policy set uploads download
  drydock s3 policy set uploads policy.json`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.setPolicy(cmd, args[0], args[1]) },
	}
	remove := &cobra.Command{
		Use:     "remove BUCKET",
		Short:   "Let nobody in without an access key",
		Example: "  drydock s3 policy remove uploads",
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := o.client()
			if err != nil {
				return err
			}
			if err := client.SetBucketPolicy(cmd.Context(), args[0], ""); err != nil {
				return o.explain(err)
			}
			return o.done(cmd, "Nobody uses bucket %s without an access key.\n", args[0])
		},
	}
	for _, one := range []*cobra.Command{show, set, remove} {
		one.Args = cobra.ExactArgs(1)
		one.ValidArgsFunction = o.completeBuckets
	}
	set.Args = cobra.ExactArgs(2)
	set.ValidArgsFunction = func(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) == 1 {
			return words, cobra.ShellCompDirectiveDefault
		}
		return o.completeBuckets(cmd, args, begun)
	}
	cmd.AddCommand(show, set, remove)
	return cmd
}

func (o *storeOptions) showPolicy(cmd *cobra.Command, bucket string) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	document, err := client.GetBucketPolicy(cmd.Context(), bucket)
	if err != nil {
		return o.explain(err)
	}
	if document == "" {
		if o.json {
			return printJSON(cmd.OutOrStdout(), nil)
		}
		return o.done(cmd, "Bucket %s has no policy: nobody uses it without an access key.\n", bucket)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, []byte(document), "", "  "); err != nil {
		return fmt.Errorf("read the policy of bucket %s: %w", bucket, err)
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), indented.String())
	return err
}

func (o *storeOptions) setPolicy(cmd *cobra.Command, bucket, given string) error {
	document, err := bucketPolicy(bucket, given, cmd.InOrStdin())
	if err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	if err := client.SetBucketPolicy(cmd.Context(), bucket, document); err != nil {
		return o.explain(err)
	}
	return o.done(cmd, "Bucket %s has its policy.\n", bucket)
}

// bucketPolicy is the policy that an argument names.
func bucketPolicy(bucket, given string, stdin io.Reader) (string, error) {
	if kind, ok := access[given]; ok {
		document, err := json.Marshal(policy.BucketAccessPolicy{Version: iam.Version, Statements: policy.SetPolicy(nil, kind, bucket, "")})
		return string(document), err
	}
	document, err := readPolicy(given, stdin)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("%s is neither a policy nor a file: policies are %s; `%s s3 policy remove` lets nobody in", given, strings.Join(slices.Sorted(maps.Keys(access)), ", "), called())
	case err != nil:
		return "", err
	}
	if _, err := iam.ParseBucket(document, bucket); err != nil {
		return "", fmt.Errorf("%s is no policy for bucket %s: %w", given, bucket, err)
	}
	return string(document), nil
}

// completeBuckets offers the names of buckets to the shell.
func (o *storeOptions) completeBuckets(cmd *cobra.Command, given []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	client, err := o.client()
	if err != nil || len(given) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completeWait)
	defer cancel()
	buckets, err := client.ListBuckets(ctx)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var names []cobra.Completion
	for _, bucket := range buckets {
		names = append(names, bucket.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
