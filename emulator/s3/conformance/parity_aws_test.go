package main

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/conformance/parity"
)

// TestParityOfAWS runs the command aws, which scripts/setup.sh installs. It
// takes a second to start, so each line does much.
func TestParityOfAWS(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("aws")
	require.NoError(t, err, "scripts/setup.sh test installs it")
	compareCommands(t, program, "aws", func(address string) []string {
		return []string{
			"AWS_ACCESS_KEY_ID=" + accessKey, "AWS_SECRET_ACCESS_KEY=" + secretKey, "AWS_DEFAULT_REGION=us-east-1",
			"AWS_PAGER=", "AWS_MAX_ATTEMPTS=1", "AWS_EC2_METADATA_DISABLED=true", "ENDPOINT=http://" + address,
			// Version 1 does not know AWS_ENDPOINT_URL.
			"S3=aws --endpoint-url http://" + address + " s3", "API=aws --endpoint-url http://" + address + " s3api",
		}
	}, awsCommands)
}

// awsCommands build on each other, from the first to the last.
var awsCommands = []parity.Command{
	{Line: "$S3 mb s3://harbour"},
	{Line: "mkdir -p tree/deep && cp hello.txt tree/ && cp hello.txt 'tree/deep/ä b+c.txt' && $S3 sync --no-progress tree s3://harbour/tree", Sorted: true},
	{Line: "$S3 ls --recursive --summarize s3://harbour"},
	{Line: "$S3 cp --no-progress --content-type text/x --metadata color=red hello.txt s3://harbour/hello.txt"},
	{Line: "$S3 cp s3://harbour/hello.txt -"},
	{Line: "head -c 20000000 /dev/zero > large.bin && $S3 cp --no-progress large.bin s3://harbour/large.bin"},
	{Line: "$S3 mv --no-progress s3://harbour/large.bin s3://harbour/moved.bin"},
	{Line: "$S3 rm --recursive s3://harbour/tree", Sorted: true},
	{Line: "$S3 ls s3://nobody"},
	{Line: "$API head-object --bucket harbour --key hello.txt"},
	{Line: "$API get-object-attributes --bucket harbour --key moved.bin --object-attributes ETag ObjectSize ObjectParts StorageClass"},
	{Line: "$API copy-object --bucket harbour --key copy --copy-source harbour/hello.txt --metadata color=blue --metadata-directive REPLACE"},
	{Line: "$API list-objects-v2 --bucket harbour --max-items 2 --page-size 1 --fetch-owner"},
	{Line: "$API delete-objects --bucket harbour --delete 'Objects=[{Key=copy},{Key=hello.txt,VersionId=null}]'"},
	{Line: "$API list-object-versions --bucket harbour"},
	{Line: "AWS_SECRET_ACCESS_KEY=wrong $API list-buckets"},
}
