package main

import (
	"testing"

	"github.com/drydock/drydock/emulator/conformance/parity"
)

// TestParityOfMC runs MinIO's own client.
func TestParityOfMC(t *testing.T) {
	t.Parallel()
	compareCommands(t, realProgram(t, "mc"), "mc", func(address string) []string {
		return []string{"MC_HOST_s3=http://" + accessKey + ":" + secretKey + "@" + address, "ADDRESS=" + address}
	}, mcCommands)
}

// mcCommands build on each other, from the first to the last.
var mcCommands = []parity.Command{
	// Buckets.
	{Line: "mc ls s3"},
	{Line: "mc mb s3/harbour"},
	{Line: "mc mb s3/harbour"},
	{Line: "mc mb --ignore-existing s3/harbour"},
	{Line: "mc mb s3/UPPER"},
	{Line: "mc mb s3/ab"},
	{Line: "mc mb --region eu-west-1 s3/elsewhere"},
	{Line: "mc ls s3"},
	{Line: "mc --json ls s3"},
	{Line: "mc stat s3/harbour", Numbers: true},
	{Line: "mc stat s3/nobody"},
	{Line: "mc ready s3"},
	{Line: "mc ping --count 1 s3 | sed 's/[0-9.]*ms/ms/g'", Numbers: true},

	// Objects.
	{Line: "mc cp hello.txt s3/harbour/hello.txt"},
	{Line: "mc cp hello.txt s3/nobody/hello.txt"},
	{Line: "mc cp --attr 'Cache-Control=no-cache;color=red;Content-Disposition=inline' hello.txt s3/harbour/described.txt"},
	{Line: "mc cp --storage-class REDUCED_REDUNDANCY hello.txt s3/harbour/cheap.txt"},
	{Line: "mc cp --storage-class GOLD hello.txt s3/harbour/gold.txt"},
	{Line: "mc cp --tags 'kind=ship&size=big' hello.txt s3/harbour/tagged.txt"},
	{Line: "mc stat s3/harbour/hello.txt"},
	{Line: "mc stat s3/harbour/described.txt", Sorted: true},
	{Line: "mc --json stat s3/harbour/described.txt"},
	{Line: "mc stat s3/harbour/cheap.txt", Sorted: true},
	{Line: "mc stat s3/harbour/missing.txt"},
	{Line: "mc cat s3/harbour/hello.txt"},
	{Line: "mc cat --offset 7 s3/harbour/hello.txt"},
	{Line: "mc cat s3/harbour/missing.txt"},
	{Line: "mc head -n 1 s3/harbour/hello.txt"},
	{Line: "echo from stdin | mc pipe --quiet s3/harbour/stdin.txt"},
	{Line: "mc cat s3/harbour/stdin.txt"},
	{Line: "mc cp s3/harbour/hello.txt s3/harbour/copies/one.txt"},
	{Line: "mc cp s3/harbour/described.txt s3/harbour/copies/described.txt && mc stat s3/harbour/copies/described.txt", Sorted: true},
	{Line: "mc cp s3/harbour/missing.txt s3/harbour/copies/two.txt"},
	{Line: "mc mv s3/harbour/copies/one.txt s3/elsewhere/moved.txt"},
	{Line: "mc cp 's3/harbour/hello.txt' 's3/harbour/ä b+c&d=e%2F.txt' && mc ls s3/harbour/"},
	{Line: "mc cp --recursive s3/harbour/ copied/ && ls -R copied", Sorted: true},
	{Line: "mc cp --recursive copied/ s3/elsewhere/copied/", Sorted: true},
	{Line: "mc ls --recursive s3/elsewhere"},
	{Line: "mc --json ls --recursive s3/elsewhere"},
	{Line: "mc ls s3/elsewhere/copied"},
	{Line: "mc ls s3/elsewhere/nothing/"},
	{Line: "mc tree s3/elsewhere"},
	{Line: "mc find s3/elsewhere --name '*.txt'"},
	{Line: "mc find s3/elsewhere --larger 1MB"},
	{Line: "mc find s3/harbour --metadata color=red"},
	{Line: "mc find s3/harbour --tags kind=ship"},
	{Line: "mc du s3/elsewhere"},
	{Line: "mc du --depth 2 s3/elsewhere"},
	{Line: "mc diff s3/harbour s3/elsewhere/copied"},
	{Line: "mc mirror s3/harbour s3/elsewhere/mirror && mc ls -r s3/elsewhere/mirror", Sorted: true},
	{Line: "mc mirror --remove --overwrite copied s3/elsewhere/mirror", Sorted: true},

	// Large ones, in parts.
	{Line: "head -c 20000000 /dev/zero > large.bin && mc cp large.bin s3/harbour/large.bin && mc stat s3/harbour/large.bin"},
	{Line: "mc cat s3/harbour/large.bin | cksum"},
	{Line: "mc cp s3/harbour/large.bin s3/elsewhere/large.bin && mc stat --json s3/elsewhere/large.bin"},
	{Line: "head -c 20000000 /dev/zero | mc pipe --quiet s3/harbour/piped.bin && mc stat s3/harbour/piped.bin"},
	{Line: "mc ls --incomplete s3/harbour"},
	{Line: "mc rm --incomplete --recursive --force s3/harbour"},

	// Links.
	{Line: "curl -s $(mc --json share download --expire 1h s3/harbour/hello.txt | sed 's/.*\"share\":\"\\([^\"]*\\)\".*/\\1/; s/\\\\u0026/\\&/g')"},
	{Line: "mc share upload s3/harbour/uploaded.txt | sed 's/-F [^ ]*//g' | head -2"},

	// Tags.
	{Line: "mc tag list s3/harbour/tagged.txt"},
	{Line: "mc tag set s3/harbour/hello.txt 'a=1&b=2'"},
	{Line: "mc tag list s3/harbour/hello.txt"},
	{Line: "mc --json tag list s3/harbour/hello.txt"},
	{Line: "mc tag remove s3/harbour/hello.txt"},
	{Line: "mc tag list s3/harbour/hello.txt"},
	{Line: "mc tag set s3/harbour 'owner=me'"},
	{Line: "mc tag list s3/harbour"},
	{Line: "mc tag remove s3/harbour"},
	{Line: "mc tag list s3/harbour"},
	{Line: "mc tag list s3/harbour/missing.txt"},

	// Versions.
	{Line: "mc mb --with-versioning s3/versions"},
	{Line: "mc version info s3/versions"},
	{Line: "mc version info s3/harbour"},
	{Line: "echo one | mc pipe --quiet s3/versions/a.txt && echo three | mc pipe --quiet s3/versions/a.txt && mc ls --versions s3/versions"},
	{Line: "mc cat --version-id $(mc --json ls --versions s3/versions/a.txt | tail -1 | sed 's/.*\"versionId\":\"\\([^\"]*\\)\".*/\\1/') s3/versions/a.txt"},
	{Line: "mc rm s3/versions/a.txt"},
	{Line: "mc ls s3/versions"},
	{Line: "mc ls --versions s3/versions"},
	{Line: "mc --json ls --versions s3/versions"},
	{Line: "mc stat s3/versions/a.txt"},
	{Line: "mc cat s3/versions/a.txt"},
	{Line: "mc undo s3/versions/a.txt && mc cat s3/versions/a.txt"},
	{Line: "mc stat --versions s3/versions/a.txt"},
	{Line: "mc cat --version-id 11111111-2222-3333-4444-555555555555 s3/versions/a.txt"},
	{Line: "mc version suspend s3/versions && echo null | mc pipe --quiet s3/versions/a.txt && mc ls --versions s3/versions"},
	{Line: "mc version enable s3/versions"},
	{Line: "mc rm --versions --recursive --force s3/versions && mc ls --versions s3/versions"},
	{Line: "mc rb s3/versions"},

	// Locks.
	{Line: "mc mb --with-lock s3/locked"},
	{Line: "mc retention info --default s3/locked"},
	{Line: "mc retention set --default GOVERNANCE 1d s3/locked"},
	{Line: "mc retention info --default s3/locked"},
	{Line: "mc cp hello.txt s3/locked/kept.txt && mc retention info s3/locked/kept.txt"},
	{Line: "mc rm --version-id $(mc --json ls --versions s3/locked | sed 's/.*\"versionId\":\"\\([^\"]*\\)\".*/\\1/') s3/locked/kept.txt"},
	{Line: "mc retention clear --default s3/locked"},
	{Line: "mc legalhold set s3/locked/kept.txt && mc legalhold info s3/locked/kept.txt"},
	{Line: "mc legalhold clear s3/locked/kept.txt && mc legalhold info s3/locked/kept.txt"},
	{Line: "mc retention info --default s3/harbour"},
	{Line: "mc retention set GOVERNANCE 1d s3/harbour/hello.txt"},

	// Policies, and who nobody is.
	{Line: "mc mb s3/policies && mc cp hello.txt s3/policies/open/hello.txt && mc cp hello.txt s3/policies/closed.txt"},
	{Line: "mc anonymous get s3/policies"},
	{Line: "mc anonymous set download s3/policies/open"},
	{Line: "mc anonymous list s3/policies"},
	{Line: "mc anonymous links s3/policies/open --recursive"},
	{Line: "curl -s http://$ADDRESS/policies/open/hello.txt"},
	{Line: "curl -s http://$ADDRESS/policies/closed.txt | sed 's/<RequestId>.*//'"},
	{Line: "mc anonymous set-json reader.json s3/policies && mc anonymous get-json s3/policies"},
	{Line: "mc anonymous set-json bad-policy.json s3/policies"},
	{Line: "mc anonymous set none s3/policies && mc anonymous get-json s3/policies"},

	// Rules.
	{Line: "mc ilm rule add --prefix logs/ --expire-days 7 s3/harbour"},
	{Line: "mc ilm rule ls s3/harbour"},
	{Line: "mc ilm rule export s3/harbour"},
	{Line: "mc ilm rule rm --all --force s3/harbour"},
	{Line: "mc ilm rule ls s3/harbour"},
	{Line: "mc event ls s3/harbour"},
	{Line: "mc event add s3/harbour arn:minio:sqs::NOBODY:nats"},
	{Line: "mc encrypt info s3/harbour"},
	{Line: "mc cors get s3/harbour"},

	// What is taken away.
	{Line: "mc rm s3/harbour/stdin.txt"},
	{Line: "mc rm s3/harbour/stdin.txt"},
	{Line: "mc rm s3/nobody/stdin.txt"},
	{Line: "mc rm --dangerous --recursive s3/harbour"},
	{Line: "mc rm --recursive --force s3/elsewhere/mirror/"},
	{Line: "mc rb s3/harbour"},
	{Line: "mc rb --force s3/harbour"},
	{Line: "mc rb s3/nobody"},
	{Line: "mc ls s3"},

	// Whom it does not know.
	{Line: "MC_HOST_who=http://nobody:nobody-secret@$ADDRESS mc ls who"},
	{Line: "MC_HOST_who=http://drydock:wrong-secret@$ADDRESS mc ls who"},
	{Line: "MC_HOST_who=http://$ADDRESS mc ls who/elsewhere"},
}
